"""`build`: a Dockerfile and a context into an image of the store."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.builder.build import Base, Workbench, documents
from pytest_images.builder.clock import source_date_epoch
from pytest_images.builder.fingerprints import Fingerprints
from pytest_images.builder.log import BuildLog
from pytest_images.builder.plan import make_plan
from pytest_images.builder.running import Runner
from pytest_images.builder.trees import FolderTree, ImageTree
from pytest_images.builder.view import Views
from pytest_images.dockerfile.arguments import platform_arguments
from pytest_images.dockerfile.place import NOWHERE
from pytest_images.dockerfile.stages import parse
from pytest_images.engine.choose import host_platform
from pytest_images.engine.contexts import open_context
from pytest_images.errors import ImageNotFound, InvalidUsage, Unsupported
from pytest_images.model.image import BuildResult
from pytest_images.model.progress import Progress
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.builder.trees import Tree
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.dockerfile.instructions import Add
    from pytest_images.dockerfile.place import Place
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.request.build import BuildRequest

# The time of everything a build makes, where nobody says another: 1980-01-01, the first that
# zip files can hold. One time, so that the same inputs give the same image.
EPOCH = 315_532_800
_IMAGE = "docker-image://"
_EPOCH_ARGUMENT = "SOURCE_DATE_EPOCH"


def build(images: Images, store: Store, request: BuildRequest) -> BuildResult:
    """Build the image that *request* asks for; name it, and return it with the log.

    Raises InvalidDockerfile, BuildError, InvalidUsage, SandboxError, Unsupported, and what
    bringing a base image raises.
    """
    if len(request.platforms) > 1:
        raise Unsupported("build", "an image for several platforms at once")
    platform = request.platforms[0] if request.platforms else host_platform()
    hidden = (secret.reveal() for secret in request.secrets.values())
    log = BuildLog(partial(_tell, images, request), hidden)
    with open_context(store, request) as opened, store.lease() as lease:
        dockerfile = parse(opened.text, opened.name)
        automatic = platform_arguments(host_platform(), platform, request.target or "")
        plan = make_plan(dockerfile, request.target, request.args, automatic, request.contexts)
        latest, sources = _latest(request), _Sources(images, store, lease, request)
        bench = Workbench(
            store=store,
            lease=lease,
            plan=plan,
            log=log,
            runner=Runner(store, lease, images.run, request.secrets, latest),
            fingerprints=Fingerprints(store.workspace("fingerprints"), opened.root),
            context=opened.tree,
            platform=platform,
            given=request.args,
            base_of=sources.base,
            context_of=partial(sources.context, platform),
            fetch=_fetch,
            created=datetime.fromtimestamp(latest, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            latest=latest,
            uses_cache=not request.no_cache,
            secrets=frozenset(request.secrets),
            network=request.network,
            add_hosts=request.add_hosts,
        )
        config, manifest = documents(bench.build(), request.labels)
        for raw, digest in ((config.raw, config.id), (manifest.raw, manifest.digest)):
            lease.hold(digest)
            store.put(raw, digest)
        store.add(manifest, config, request.tags)
    for name in request.tags:
        log.add(f"naming to {name}")
    image = store.image(Selector.of(request.tags[0] if request.tags else config.id))
    warnings = tuple(str(warning) for warning in dockerfile.warnings)
    return BuildResult(image, str(log), warnings)


def _latest(request: BuildRequest) -> int:
    """Return the time of what is made, in seconds since 1970. Raises InvalidUsage."""
    given = request.args.get(_EPOCH_ARGUMENT)
    if given is not None:
        if not (given.isascii() and given.isdigit() and len(given) < 12):
            raise InvalidUsage(given, f"{_EPOCH_ARGUMENT} is a number of seconds since 1970")
        return int(given)
    if request.wall_clock:
        return int(datetime.now(UTC).timestamp())
    epoch = source_date_epoch()
    return EPOCH if epoch is None else epoch


def _tell(images: Images, request: BuildRequest, line: str) -> None:
    subject = str(request.tags[0]) if request.tags else ""
    images.progress(Progress("build", subject, text=line))


class _Sources:
    """Where a build's images and further contexts come from, held for as long as it runs."""

    def __init__(self, images: Images, store: Store, lease: Lease, request: BuildRequest) -> None:
        self._images, self._store, self._lease, self._request = images, store, lease, request

    def base(self, name: str, platform: Platform, place: Place) -> Base:
        """Bring an image: from here, else from its registry; with ``--pull`` always asked."""
        store = self._store
        name = self._request.contexts.get(name, name).removeprefix(_IMAGE)
        try:
            image = self._image(Selector.parse(name), platform)
        except ImageNotFound as error:
            error.add_note(f"it is wanted by {place.source}:{place.first}: {place.text.strip()}")
            raise
        manifest, config = store.manifest_of(image.id), store.config_of(image.id)
        for digest in (manifest.config.digest, *(layer.digest for layer in manifest.layers)):
            self._lease.hold(digest)
        return Base(config, manifest)

    def context(self, platform: Platform, name: str) -> Tree | None:
        """Return the files of ``--build-context name=...``: a folder, or an image."""
        value = self._request.contexts.get(name)
        if value is None:
            return None
        if value.startswith(_IMAGE):
            return ImageTree(Views(self._store).files(self.base(name, platform, NOWHERE).layers))
        if "://" in value:
            raise Unsupported("build", f"the build context {name} at a URL")
        if not Path(value).is_dir():
            raise InvalidUsage(value, f"the build context {name} is no folder")
        return FolderTree(Path(value))

    def _image(self, selector: Selector, platform: Platform) -> Image:
        reference, pull = selector.reference, self._request.pull
        if reference is None:
            return self._store.image(selector)
        if not pull:
            with suppress(ImageNotFound):
                found = self._store.image(selector)
                if found.platform == platform:
                    return found
        return self._images.get(reference, "always" if pull else "missing", platform=platform)


def _fetch(instruction: Add) -> Sequence[tuple[Tree, str]]:
    from pytest_images.builder.steps import is_remote

    for source in instruction.sources:
        if is_remote(source):
            raise instruction.place.error("ADD of a URL or repository is not supported yet")
    return ()
