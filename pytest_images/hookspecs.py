"""The hooks: the only seam of this package. Read this page first.

A plugin implements any of them with `hookimpl`, in a module, class or conftest.py. There
are three kinds. A **verb** is done by one plugin: plugins are asked until one answers, the
engine in force last; ``None`` means "not mine". A **question** is answered by the one
plugin that knows; ``None`` means "ask the next", and wrappers adjust the answer, which is
how a policy changes what a verb does. A **moment** calls every plugin.

The first argument, *images*, is the door to all hooks as the caller sees them. An
implementation never calls another implementation: it asks through *images*, so that every
policy sees everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_images.images import Images
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
    from pytest_images.model.progress import Progress
    from pytest_images.model.reference import Reference
    from pytest_images.model.request.build import BuildRequest
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

PROJECT = "pytest_images"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """Every hook, as a method: ``cast(Hooks, view)`` type-checks each call."""

    # Verbs: one plugin does it, the engine in force is asked last.

    @hookspec(firstresult=True)
    def image_pull(self, images: Images, request: PullRequest) -> tuple[Image, ...] | None:
        """Bring the images that *request* names into the engine.

        Verb: plugins are asked until one answers, the engine last.
        Must ask ``images.resolve`` for the digest and ``images.endpoints`` for the places,
        so that locks, mirrors and offline runs hold; must keep the image under the name
        asked for, whichever place served it.

        :returns: the images, or ``None``: "not mine, ask the next plugin".
        :raises ImageNotFound: a place that was reached says there is none.
        :raises Unreachable: no place was left to ask.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_ls(self, images: Images, request: LsRequest) -> tuple[Image, ...] | None:
        """List the images that the engine holds, newest first.

        Verb: plugins are asked until one answers, the engine last.
        Must read the engine's own records only: no registry is asked.

        :returns: the images, ``()`` when there are none, or ``None``: "not mine".
        :raises InvalidUsage: a filter is not known.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_rm(self, images: Images, request: RmRequest) -> tuple[Removal, ...] | None:
        """Take a name away, and the image with it when that was its last.

        Verb: plugins are asked until one answers, the engine last.
        Must never delete content that another name or a live lease of any process reaches.

        :returns: what was untagged and deleted, in that order, or ``None``: "not mine".
        :raises ImageNotFound: there is no such image.
        :raises AmbiguousImage: a short ID begins more than one.
        :raises Conflict: several repositories name the ID, and *request* does not force it.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_prune(self, images: Images, request: PruneRequest) -> tuple[Removal, ...] | None:
        """Remove the images that nothing uses.

        Verb: plugins are asked until one answers, the engine last.
        Must never delete content that a name left over or a live lease of any process reaches.

        :returns: what was untagged and deleted, or ``None``: "not mine".
        :raises InvalidUsage: a filter is not known.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_inspect(self, images: Images, request: InspectRequest) -> Inspection | None:
        """Say everything about one image.

        Verb: plugins are asked until one answers, the engine last.
        Must read the engine's own records only: no registry is asked.

        :returns: the image with its documents, or ``None``: "not mine".
        :raises ImageNotFound: there is no such image.
        :raises AmbiguousImage: a short ID begins more than one.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_tag(self, images: Images, request: TagRequest) -> Image | None:
        """Give an image a further name.

        Verb: plugins are asked until one answers, the engine last.
        Must move the name when another image has it; that image stays, dangling perhaps.

        :returns: the image under its new name, or ``None``: "not mine".
        :raises ImageNotFound: there is no such image.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_build(self, images: Images, request: BuildRequest) -> BuildResult | None:
        """Build an image from a Dockerfile and a build context.

        Verb: plugins are asked until one answers, the engine last.
        Must resolve every base image through *images*, and run each RUN step by asking
        ``build_run``.

        :returns: the image and the log, or ``None``: "not mine".

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_history(
        self, images: Images, request: HistoryRequest
    ) -> tuple[HistoryLine, ...] | None:
        """Say how an image was made, newest step first.

        Verb: plugins are asked until one answers, the engine last.
        Must read the engine's own records only: no registry is asked.

        :returns: the lines, or ``None``: "not mine".
        :raises ImageNotFound: there is no such image.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_push(self, images: Images, request: PushRequest) -> tuple[Pushed, ...] | None:
        """Put images into the registry of their name.

        Verb: plugins are asked until one answers, the engine last.
        Must ask ``images.endpoints`` for the places and send documents byte for byte.

        :returns: what each name stands for there, or ``None``: "not mine".
        :raises ImageNotFound: the engine has no image of that name.
        :raises AuthError: the registry does not let us.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_save(self, images: Images, request: SaveRequest) -> tuple[Image, ...] | None:
        """Write images as one archive into the request's stream.

        Verb: plugins are asked until one answers, the engine last.
        Must leave the stream open, and write the same bytes for the same images.

        :returns: the images written, or ``None``: "not mine".
        :raises ImageNotFound: there is no such image; nothing was written.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_load(self, images: Images, request: LoadRequest) -> tuple[Loaded, ...] | None:
        """Take in the images of an archive, with the names it gives them.

        Verb: plugins are asked until one answers, the engine last.
        Must keep digests and image IDs, and load all of an archive or nothing.

        :returns: the images with their names, or ``None``: "not mine".
        :raises InvalidArchive: the archive cannot be read as images; nothing was loaded.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def image_import(self, images: Images, request: ImportRequest) -> Image | None:
        """Make an image of one layer out of the tar of a root file system.

        Verb: plugins are asked until one answers, the engine last.

        :returns: the image, or ``None``: "not mine".
        :raises InvalidLayer: the stream is not a tar that can be a root file system.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    # Questions: one plugin knows; a wrapper may adjust the answer.

    @hookspec(firstresult=True)
    def registry_resolve(self, images: Images, reference: Reference) -> Reference | None:
        """Say which digest *reference* stands for: return it pinned.

        Question: plugins are asked until one knows; the default asks the registry.
        Must return at once what is pinned already; must ask ``images.endpoints`` for the
        places. The digest is the index's where there is one, so one pin serves all platforms.

        :returns: the reference with a digest, or ``None``: "ask the next plugin".
        :raises ImageNotFound: a place that was reached says there is none.
        :raises Unreachable: no place was left to ask.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def registry_endpoints(
        self, images: Images, reference: Reference, access: Access
    ) -> Sequence[Endpoint] | None:
        """Say where the content of *reference* is, in the order to try, for this *access*.

        Question: plugins are asked until one knows; the default is the registry itself.
        The caller skips an endpoint that does not allow *access*. Wrappers put mirrors
        before the answer, or take away what must not be reached.

        :returns: the endpoints, ``()`` for "nowhere", or ``None``: "ask the next plugin".

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def registry_credentials(
        self, images: Images, registry: str, access: Access, rejected: Credentials | None
    ) -> Credentials | None:
        """Say who we are to *registry* (``host`` or ``host:port``).

        Question: plugins are asked until one knows; the default reads Docker's config.json.
        *rejected* is what an earlier answer gave and the registry did not accept: give
        something newer, or ``None``. The answer is sent to that registry and to its token
        server only.

        :returns: the credentials, or ``None``: "ask the next plugin"; nobody: anonymous.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    @hookspec(firstresult=True)
    def build_run(self, images: Images, step: RunStep) -> Ran | None:
        """Run the command of one RUN step, confined to the step's root file system.

        Question: plugins are asked until one can; the default is the sandbox of this machine.
        Must never run the command unconfined on the host; must say in the answer what of a
        full confinement was missing, and leave no process of the command behind.

        :returns: how the command ended, or ``None``: "ask the next plugin".
        :raises SandboxError: the step could not be set up, or took longer than it may.
        :raises Unsupported: nothing here can confine a command.

        In conftest.py: holds for tests and fixtures written below that file.

        .. versionadded:: 0.1
        """

    # Moments: every plugin is called.

    @hookspec
    def images_engines(self) -> Mapping[str, Callable[[], object]] | None:
        """Name the engines this plugin brings: a factory of a plugin object for each name.

        Moment: every plugin is called, once a host. A factory is called when its engine is
        first used, so that listing images imports no daemon's SDK. Installing an engine
        does not choose it: ``images_engine`` does.

        :returns: name to factory, or ``None``: "nothing to add".

        .. versionadded:: 0.1
        """

    @hookspec
    def images_configure(self, images: Images) -> None:
        """Get ready: the host is complete and about to be used for the first time.

        Moment: every plugin is called, once a host.

        .. versionadded:: 0.1
        """

    @hookspec
    def images_progress(self, images: Images, event: Progress) -> None:
        """Hear what happens inside a running verb, a few times a second, from any thread.

        Moment: every plugin is called. Must be quick and must not raise.

        .. versionadded:: 0.1
        """

    @hookspec
    def images_unconfigure(self, images: Images) -> None:
        """Clean up: the host is about to be closed.

        Moment: every plugin is called, the last registered first. Must be safe when called twice.

        .. versionadded:: 0.1
        """
