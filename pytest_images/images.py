"""Images: the typed door to the hooks, as one caller sees them.

Text is parsed here, once; hooks see values only. A door is cheap and frozen: `using`,
`without`, `at` and `scoped` give another one that sees the hooks in another way. It may be
used from any thread.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from pytest_images.arguments import (
    fetched,
    opened,
    pairs_of,
    platform_of,
    platforms_of,
    policy_of,
    reference_of,
    references_of,
    require_files,
    selector_of,
    selectors_of,
    written,
)
from pytest_images.dataclass import dataclass, field, replace
from pytest_images.errors import HookError, ImageNotFound, InvalidUsage, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from pytest_images.arguments import Filters, Name, Platforms, Policy, Source, Thing
    from pytest_images.hookspecs import Hooks
    from pytest_images.host.host import Host
    from pytest_images.layer.files import Files
    from pytest_images.model.config import Config
    from pytest_images.model.endpoint import Access, Credentials, Endpoint
    from pytest_images.model.image import (
        BuildResult,
        HistoryLine,
        Image,
        Loaded,
        Pushed,
        Removal,
    )
    from pytest_images.model.inspection import Inspection
    from pytest_images.model.platform import Platform
    from pytest_images.model.progress import Progress
    from pytest_images.model.reference import Reference
    from pytest_images.model.request.build import BuildRequest, Context
    from pytest_images.model.request.history import HistoryRequest
    from pytest_images.model.request.import_ import ImportRequest
    from pytest_images.model.request.inspect import InspectRequest
    from pytest_images.model.request.load import LoadRequest
    from pytest_images.model.request.ls import LsRequest
    from pytest_images.model.request.prune import PruneRequest
    from pytest_images.model.request.pull import PullRequest
    from pytest_images.model.request.push import PushRequest
    from pytest_images.model.request.rm import RmRequest
    from pytest_images.model.request.run import Ran, RunStep
    from pytest_images.model.request.save import SaveRequest
    from pytest_images.model.request.tag import TagRequest
    from pytest_images.model.secret import Secret
    from pytest_images.policies.ledger import Ledger

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Images:
    """The hooks with types: twelve verbs, the questions, and ways to see them differently.

    Made by `Host` and by the fixtures. *engine* is the name of the one in force.
    A verb that no plugin does raises Unsupported; a wrapper that loses a result, HookError.
    """

    _host: Host = field(repr=False)
    engine: str
    place: str | None = None
    left_out: frozenset[str] = frozenset()
    ledger: Ledger | None = field(default=None, repr=False)

    # Verbs.

    @overload
    def pull(
        self,
        reference: Name,
        *,
        platform: Platforms = None,
        all_tags: Literal[False] = False,
        whole_index: bool = False,
    ) -> Image: ...
    @overload
    def pull(
        self,
        reference: Name,
        *,
        platform: Platforms = None,
        all_tags: Literal[True],
        whole_index: bool = False,
    ) -> tuple[Image, ...]: ...
    def pull(
        self,
        reference: Name,
        *,
        platform: Platforms = None,
        all_tags: bool = False,
        whole_index: bool = False,
    ) -> Image | tuple[Image, ...]:
        """Bring an image here; the registry is asked even when it is here already.

        *platform*: those wanted, best first (``"linux/arm64"`` or several); by default the
        host's. *all_tags*: every tag of the repository, and all images are returned.
        *whole_index*: every platform, for pushing the index on unchanged.
        Raises ImageNotFound, PlatformNotFound, Unreachable, AuthError.
        """
        __tracebackhide__ = True
        from pytest_images.model.request.pull import PullRequest

        named = reference_of(reference, bare=all_tags)
        request = PullRequest(named, self._platforms(platform), all_tags, whole_index)
        pulled = self.ask(request)
        return pulled if all_tags else self._first("image_pull", pulled)

    def push(
        self,
        reference: Name,
        *,
        all_tags: bool = False,
        platform: str | Platform | None = None,
        whole_index: bool = False,
    ) -> tuple[Pushed, ...]:
        """Put a name and what it stands for into its registry.

        *all_tags*: every tag of the repository that is here. *platform*: only this one of
        an index. *whole_index*: the index the name was pulled with, its digest unchanged.
        Raises ImageNotFound, Unreachable, AuthError.
        """
        __tracebackhide__ = True
        from pytest_images.model.request.push import PushRequest

        named = reference_of(reference, bare=all_tags)
        request = PushRequest(named, all_tags, platform_of(platform), whole_index)
        return self.ask(request)

    def ls(
        self,
        pattern: str | None = None,
        *,
        filters: Filters = (),
        all: bool = False,  # noqa: A002, RUF100 - Docker's word
        sizes: bool = True,
    ) -> tuple[Image, ...]:
        """List the images that are here, newest first.

        *pattern*: ``REPOSITORY[:TAG]``. *filters*: as of ``--filter``, a mapping or pairs.
        *sizes*: fill in ``Image.size``. Raises InvalidUsage for a filter nobody knows.
        """
        __tracebackhide__ = True
        from pytest_images.model.request.ls import LsRequest

        request = LsRequest(pattern, pairs_of(filters), all, sizes)
        return self.ask(request)

    def inspect(
        self, image: Thing, *, platform: str | Platform | None = None, sizes: bool = True
    ) -> Inspection:
        """Say everything about one image: its facts, config and manifest.

        *sizes*: fill in ``Image.size``, though the layers have to be read for it.
        Raises ImageNotFound, AmbiguousImage.
        """
        __tracebackhide__ = True
        from pytest_images.model.request.inspect import InspectRequest

        request = InspectRequest(selector_of(image), platform_of(platform), sizes)
        return self.ask(request)

    def tag(self, source: Thing, target: Name) -> Image:
        """Give *source* the further name *target*; return the image under it.

        Raises ImageNotFound.
        """
        __tracebackhide__ = True
        from pytest_images.model.request.tag import TagRequest

        named = reference_of(target)
        if named.digest is not None:
            raise InvalidUsage(str(target), "a tag cannot be given a digest")
        request = TagRequest(selector_of(source), named)
        return self.ask(request)

    def rm(
        self,
        image: Thing,
        *,
        force: bool = False,
        prune_parents: bool = True,
        platforms: Platforms = None,
    ) -> tuple[Removal, ...]:
        """Take a name away, and the image with its last name; say what went.

        *force*: also an ID that several repositories name. *platforms*: only the content of
        these, of an image that has several; the names stay. It has to be forced.
        Raises ImageNotFound, AmbiguousImage, PlatformNotFound, Conflict.
        """
        __tracebackhide__ = True
        from pytest_images.model.request.rm import RmRequest

        request = RmRequest(selector_of(image), force, prune_parents, platforms_of(platforms))
        return self.ask(request)

    def prune(self, *, all: bool = False, filters: Filters = ()) -> tuple[Removal, ...]:  # noqa: A002, RUF100 - Docker's word
        """Remove dangling images, with *all* every one that is not in use; say what went."""
        __tracebackhide__ = True
        from pytest_images.model.request.prune import PruneRequest

        request = PruneRequest(all, pairs_of(filters))
        return self.ask(request)

    def load(
        self, source: Source, *, name: str = "", platforms: Platforms = None
    ) -> tuple[Loaded, ...]:
        """Take in the images of an archive, with the names it gives them.

        *source*: a path of an archive or of an OCI layout folder, or a binary stream, which
        is read once and left open. *name*: what errors call it. *platforms*: those wanted
        of an index. Raises InvalidArchive, and then nothing was loaded.
        """
        __tracebackhide__ = True
        from pytest_images.model.request.load import LoadRequest

        with opened(source) as (stream, called):
            request = LoadRequest(stream, name or called, self._platforms(platforms))
            return self.ask(request)

    def save(
        self,
        images: Thing | Iterable[Thing],
        to: BinaryIO | Path | str,
        *,
        form: Literal["both", "oci", "docker"] = "both",
        platforms: Platforms = None,
    ) -> tuple[Image, ...]:
        """Write images as one archive to a path or a binary stream.

        *form*: ``both`` (as Docker writes), ``oci`` or ``docker``. A path is replaced when
        the archive is whole. Raises ImageNotFound, and then nothing was written.
        """
        __tracebackhide__ = True
        from pytest_images.model.request.save import SaveRequest

        chosen = selectors_of(images)
        with written(to) as stream:
            request = SaveRequest(chosen, stream, form, platforms_of(platforms))
            return self.ask(request)

    def import_(
        self,
        source: Source,
        reference: Name | None = None,
        *,
        name: str = "",
        changes: Iterable[str] = (),
        message: str = "",
        platform: str | Platform | None = None,
    ) -> Image:
        """Make an image of one layer out of the tar of a root file system.

        *source*: a path, a binary stream, or an address (``http://``, ``https://``); plain,
        gzip, zstd, xz or bzip2. *name*: what errors call it, but for an address. *changes*:
        Dockerfile instructions for the config. *message*: the history's comment. *platform*:
        what the config says, None for this machine's. Raises InvalidLayer, InvalidDockerfile
        (a change); NotFound, Unreachable for an address.
        """
        __tracebackhide__ = True
        from pytest_images.model.request.import_ import ImportRequest

        named = None if reference is None else reference_of(reference)
        with fetched(source, name, offline=self.offline) as (stream, called):
            if isinstance(stream, Path):
                raise InvalidUsage(str(stream), "a root file system is imported from a tar")
            request = ImportRequest(
                stream, called, named, tuple(changes), message, platform_of(platform)
            )
            return self.ask(request)

    def build(
        self,
        context: Context,
        *,
        dockerfile: str | None = None,
        dockerfile_text: str | None = None,
        tags: Name | Iterable[Name] = (),
        args: Mapping[str, str] | None = None,
        contexts: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        target: str | None = None,
        no_cache: bool = False,
        pull: bool = False,
        platforms: Platforms = None,
        secrets: Mapping[str, str | Secret] | None = None,
        add_hosts: Iterable[tuple[str, str]] = (),
        network: str = "default",
        outputs: Iterable[tuple[str, str]] = (),
        metadata_file: Path | None = None,
        iid_file: Path | None = None,
        wall_clock: bool = False,
    ) -> BuildResult:
        """Build an image from a Dockerfile and a build context.

        *context*: a folder, a tar stream, a URL, or names and bytes. The other arguments
        are those of `BuildRequest`. Returns the image and the log.
        """
        __tracebackhide__ = True
        from pytest_images.builder.remote import remote_context
        from pytest_images.model.request.build import BuildRequest
        from pytest_images.model.secret import Secret

        hidden = {
            key: value if isinstance(value, Secret) else Secret(value)
            for key, value in (secrets or {}).items()
        }
        if isinstance(context, str):
            context = remote_context(context) or Path(context)
        require_files(context)
        request = BuildRequest(
            context,
            dockerfile=dockerfile,
            dockerfile_text=dockerfile_text,
            tags=references_of(tags),
            args=dict(args or {}),
            contexts=dict(contexts or {}),
            labels=dict(labels or {}),
            target=target,
            no_cache=no_cache,
            pull=pull,
            platforms=platforms_of(platforms),
            secrets=hidden,
            add_hosts=tuple(add_hosts),
            network=network,
            outputs=tuple(outputs),
            metadata_file=metadata_file,
            iid_file=iid_file,
            wall_clock=wall_clock,
        )
        return self.ask(request)

    def history(
        self, image: Thing, *, platform: str | Platform | None = None
    ) -> tuple[HistoryLine, ...]:
        """Say how an image was made, newest step first. Raises ImageNotFound."""
        __tracebackhide__ = True
        from pytest_images.model.request.history import HistoryRequest

        request = HistoryRequest(selector_of(image), platform_of(platform))
        return self.ask(request)

    @overload
    def ask(self, request: PullRequest) -> tuple[Image, ...]: ...
    @overload
    def ask(self, request: LsRequest) -> tuple[Image, ...]: ...
    @overload
    def ask(self, request: RmRequest) -> tuple[Removal, ...]: ...
    @overload
    def ask(self, request: PruneRequest) -> tuple[Removal, ...]: ...
    @overload
    def ask(self, request: InspectRequest) -> Inspection: ...
    @overload
    def ask(self, request: TagRequest) -> Image: ...
    @overload
    def ask(self, request: BuildRequest) -> BuildResult: ...
    @overload
    def ask(self, request: HistoryRequest) -> tuple[HistoryLine, ...]: ...
    @overload
    def ask(self, request: PushRequest) -> tuple[Pushed, ...]: ...
    @overload
    def ask(self, request: SaveRequest) -> tuple[Image, ...]: ...
    @overload
    def ask(self, request: LoadRequest) -> tuple[Loaded, ...]: ...
    @overload
    def ask(self, request: ImportRequest) -> Image: ...
    def ask(self, request: Any) -> Any:
        """Do the verb that *request* is of, with every option as it stands there.

        For an override that changes one thing and passes the rest on, as in
        ``images.without(__file__).ask(replace(request, platforms=wanted))``.
        """
        __tracebackhide__ = True
        hook = f"image_{type(request).__name__.removesuffix('Request').lower()}"
        call = getattr(self._verbs, hook)
        return self._given(hook, call(images=self, request=request))

    # Questions and moments.

    def resolve(self, reference: Name) -> Reference:
        """Say which digest *reference* stands for: return it pinned.

        Raises ImageNotFound, Unreachable.
        """
        __tracebackhide__ = True
        pinned = self._hooks.registry_resolve(images=self, reference=reference_of(reference))
        return self._given("registry_resolve", pinned)

    def endpoints(self, reference: Name, access: Access | str = "pull") -> tuple[Endpoint, ...]:
        """Say where the content of *reference* is, in the order to try."""
        __tracebackhide__ = True
        from pytest_images.model.endpoint import Access

        places = self._hooks.registry_endpoints(
            images=self, reference=reference_of(reference), access=Access(access)
        )
        return tuple(self._given("registry_endpoints", places))

    def credentials(
        self,
        registry: str,
        access: Access | str = "pull",
        rejected: Credentials | None = None,
    ) -> Credentials | None:
        """Say who we are to *registry*; None: nobody, that is anonymous."""
        __tracebackhide__ = True
        from pytest_images.model.endpoint import Access

        return self._hooks.registry_credentials(
            images=self, registry=registry, access=Access(access), rejected=rejected
        )

    def run(self, step: RunStep) -> Ran:
        """Run the command of one RUN step, confined; return how it ended.

        Raises SandboxError, Unsupported; HookError for an answer that is no `Ran`.
        """
        __tracebackhide__ = True
        from pytest_images.model.request.run import Ran

        ran = self._given("build_run", self._hooks.build_run(images=self, step=step))
        if not isinstance(ran, Ran):
            raise HookError("build_run", f"the answer is of type {type(ran).__name__}, not Ran")
        return ran

    def progress(self, event: Progress) -> None:
        """Tell every plugin what happens inside a verb."""
        self._hooks.images_progress(images=self, event=event)

    # What verbs together give.

    def get(
        self, reference: Name, policy: Policy | None = None, *, platform: Platforms = None
    ) -> Image:
        """Return an image, pulled where *policy* says so; None: the host's (``images_pull``).

        ``missing``: pulled when it is not here; of several processes one pulls, the others
        find it. ``newer``: the registry is asked, and what is here does when it cannot be
        reached. ``always``: as `pull`. ``never``: ImageNotFound when it is not here.
        With a lock file an image is only here when its digest is the one that is locked.
        """
        __tracebackhide__ = True
        named = reference_of(reference)
        wanted = self._platforms(platform)
        policy = policy_of(policy or self._host.policy)
        if policy == "always":
            return self.pull(named, platform=wanted)
        if policy == "newer":
            return self._newer(named, wanted)
        if policy == "never":
            found = self._found(named, wanted, may_ask=False)
            if found is not None:
                return found
            error = ImageNotFound(named.familiar, f"the engine {self.engine}")
            error.add_note("the pull policy is never: pull it first, or allow missing")
            if self.exists(named):
                error.add_note("what is here is of another platform, or not what is locked")
            raise error
        return self._host.once.do(
            ("get", str(named)),
            lambda: self._found(named, wanted),
            lambda: self.pull(named, platform=wanted),
        )

    @property
    def offline(self) -> bool:
        """Whether nothing but this machine may be asked, by whatever dials for this door."""
        return self._host.offline

    def exists(self, image: Thing) -> bool:
        """Say whether an image is here; no registry is asked."""
        try:
            self.inspect(image)
        except ImageNotFound:
            return False
        return True

    def config(self, image: Thing) -> Config:
        """Return the config of an image: what runs in it, its labels. Raises ImageNotFound."""
        __tracebackhide__ = True
        return self.inspect(image, sizes=False).config

    def files(self, image: Thing, *, platform: str | Platform | None = None) -> Files:
        """Return the root of an image's file system, to look into without running it.

        ``(images.files("alpine") / "etc/os-release").read_text()``. Nothing is unpacked:
        layers are read at the first question, and held against their diff IDs. An engine
        without a way of its own to read them saves the image into a temporary store.
        Raises ImageNotFound, PlatformNotFound.
        """
        __tracebackhide__ = True
        inspection = self.inspect(image, platform=platform, sizes=False)
        engine = self._host.engine(self.engine)
        read: Callable[[Inspection], Files] | None = getattr(engine, "files", None)
        if read is not None:
            return read(inspection)
        from pytest_images.engine.spool import spooled

        return spooled(self, inspection)

    def copy(self, image: Thing, to: Images) -> Image:
        """Bring an image of this engine to the engine of another door, as an archive.

        It goes through a pipe, under the name that *image* is, or that an `Image` was asked
        for by. Where both are the same engine of the same host there is nothing to bring.
        """
        __tracebackhide__ = True
        from pytest_images.host.bridge import bridged

        found = self.inspect(image).image
        if to._host is self._host and to.engine == self.engine:
            return found
        name = getattr(image, "reference", None) or found.reference
        thing = name if name in found.tags else found.id
        loaded = bridged(
            lambda stream: self.save(thing, stream),
            lambda stream: to.load(stream, name=f"{thing} of {self.engine}"),
        )
        return self._first("image_load", loaded).image

    # Other ways to see.

    def using(self, engine: str) -> Images:
        """Return this door with another engine in force. Raises InvalidUsage: no such engine."""
        if engine not in self._host.engines:
            self._host.engine(engine)  # raises, and names those there are
        return replace(self, engine=engine)

    def without(self, plugin: object) -> Images:
        """Return this door without *plugin*: the object, its name, or its file.

        In a conftest.py ``images.without(__file__)`` is what the hook was before the override.
        """
        return replace(self, left_out=self.left_out | {self._host.name_of(plugin)})

    def at(self, path: Path | str) -> Images:
        """Return this door as code in *path* sees it: with the overrides of that suite."""
        return replace(self, place=str(path))

    @contextlib.contextmanager
    def answering(self, plugin: object) -> Iterator[Images]:
        """Have *plugin* asked first, everywhere, until the block ends."""
        self._host.register(plugin)
        try:
            yield self
        finally:
            self._host.unregister(plugin)

    @contextlib.contextmanager
    def scoped(self) -> Iterator[Images]:
        """Give a door whose products go when the block ends: names, and images without."""
        from pytest_images.policies.ledger import Ledger

        scope = replace(self, ledger=Ledger())
        try:
            yield scope
        finally:
            scope.ledger.undo(self)  # type: ignore[union-attr] # set two lines above

    # Below: how a hook is called.

    @property
    def _hooks(self) -> Hooks:
        """The hooks as this door sees them from where its caller is."""
        place = self._host.where() if self.place is None else self.place
        return self._host.hooks(self.engine, place, self.left_out)

    @property
    def _verbs(self) -> Hooks:
        """The hooks, with the engine in force made."""
        self._host.engine(self.engine)
        return self._hooks

    def _given(self, hook: str, answer: T | None) -> T:
        """Return *answer*; None can only come from a wrapper, for `Unanswered` sits inside."""
        __tracebackhide__ = True
        if answer is None:
            raise self._host.lost(hook, self)
        return answer

    def _first(self, hook: str, answer: Sequence[T]) -> T:
        __tracebackhide__ = True
        if not answer:
            raise HookError(hook, "the answer is empty: one image was asked for")
        return answer[0]

    def _platforms(self, given: Platforms) -> tuple[Platform, ...]:
        return platforms_of(given) or self._host.platforms

    def _found(
        self, reference: Reference, wanted: tuple[Platform, ...], *, may_ask: bool = True
    ) -> Image | None:
        """Return the image where it is here, of a platform that is wanted, and as locked."""
        try:
            image = self.inspect(reference).image
        except ImageNotFound:
            return None
        if wanted and image.platform not in wanted:
            return None
        lock = self._host.lock
        if lock is not None and not lock.accepts(image, reference, may_ask=may_ask):
            return None
        from pytest_images.model.progress import Phase, Progress

        self.progress(Progress("get", str(reference), phase=Phase.EXISTS))
        self._host.use(image)
        return replace(image, reference=reference)

    def _newer(self, reference: Reference, wanted: tuple[Platform, ...]) -> Image:
        try:
            return self.pull(reference, platform=wanted)
        except Unreachable:
            found = self._found(reference, wanted)
            if found is None:
                raise
            return found
