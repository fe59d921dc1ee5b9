"""The embedded engine as a plugin: twelve short verbs over a store and a registry client."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pytest_images.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_images.content.durability import Durability
    from pytest_images.content.store import Store
    from pytest_images.engine.files import Looked
    from pytest_images.http.limits import Limits
    from pytest_images.images import Images
    from pytest_images.layer.files import Files
    from pytest_images.model.endpoint import Access, Credentials
    from pytest_images.model.image import BuildResult, HistoryLine, Image, Loaded, Pushed, Removal
    from pytest_images.model.inspection import Inspection
    from pytest_images.model.progress import Progress
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
    from pytest_images.model.request.save import SaveRequest
    from pytest_images.model.request.tag import TagRequest
    from pytest_images.registry.client import Client

    CredentialsOf = Callable[[str, Access, Credentials | None], Credentials | None]


class EmbeddedEngine:
    """Our own engine. The store opens and the client is made at first use, not before.

    A verb that is not here yet is not implemented at all: the door then says `Unsupported`.
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        run: str | None = None,
        durability: Durability | None = None,
        limits: Limits | None = None,
        offline: bool = False,
    ) -> None:
        """*limits* are those of the registry client, None: its own. Otherwise as `Store.open`.

        *offline*: the client asks nobody but this machine.
        """
        self._home, self._run, self._durability = home, run, durability
        self._limits, self._offline = limits, offline
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._client: Client | None = None
        self._looked: Looked | None = None
        self._images: Images | None = None

    def bind(self, images: Images) -> None:
        """Set the door through which the client asks for credentials and reports progress."""
        self._images = images

    @property
    def is_open(self) -> bool:
        """Whether the store was opened: nothing was touched before."""
        return self._store is not None

    @property
    def store(self) -> Store:
        """The store, opened at the first call."""
        with self._lock:
            if self._store is None:
                from pytest_images.content.home import outer_run
                from pytest_images.content.store import Store

                self._store = Store.open(
                    self._home,
                    run=self._run,
                    below=outer_run(self._home),
                    durability=self._durability,
                )
                if self._run is not None:  # a session tidies up after those that were killed
                    self._store.sweep()
            return self._store

    @property
    def client(self) -> Client:
        """The registry client, made at the first call."""
        with self._lock:
            if self._client is None:
                from pytest_images.http.limits import DEFAULT
                from pytest_images.registry.client import Client

                self._client = Client(
                    self._credentials,
                    self._report,
                    limits=self._limits or DEFAULT,
                    offline=self._offline,
                )
            return self._client

    def give_up(self) -> None:
        """End the downloads of all threads; the client is made again where it is wanted."""
        client, self._client = self._client, None  # no lock: a thread may hold it that waits
        if client is not None:
            client.close()

    def close(self) -> None:
        """Close connections and the store. Safe when called twice."""
        with self._lock:
            client, self._client = self._client, None
            store, self._store = self._store, None
            self._looked = None
        if client is not None:
            client.close()
        if store is not None:
            store.close()

    def files(self, inspection: Inspection) -> Files:
        """Look into an image: below the seam, for the layers lie here; see docs/hooks.md."""
        store = self.store
        with self._lock:
            if self._looked is None:
                from pytest_images.engine.files import Looked

                self._looked = Looked(store)
        return self._looked.files(inspection)

    def _credentials(
        self, registry: str, access: Access, rejected: Credentials | None
    ) -> Credentials | None:
        return self._images.credentials(registry, access, rejected) if self._images else None

    def _report(self, event: Progress) -> None:
        if self._images is not None:
            self._images.progress(event)

    @hookimpl
    def image_pull(self, images: Images, request: PullRequest) -> tuple[Image, ...]:
        """Pull from a registry."""
        from pytest_images.engine.pull import pull

        return pull(images, self.store, self.client, request)

    @hookimpl
    def image_push(self, images: Images, request: PushRequest) -> tuple[Pushed, ...]:
        """Push to a registry."""
        from pytest_images.engine.push import push

        return push(images, self.store, self.client, request)

    @hookimpl
    def image_save(self, images: Images, request: SaveRequest) -> tuple[Image, ...]:
        """Write images as one archive."""
        from pytest_images.engine.save import save

        return save(images, self.store, request)

    @hookimpl
    def image_load(self, images: Images, request: LoadRequest) -> tuple[Loaded, ...]:
        """Load an archive or a layout."""
        from pytest_images.engine.load import load

        return load(images, self.store, request)

    @hookimpl
    def image_ls(self, images: Images, request: LsRequest) -> tuple[Image, ...]:
        """List what the store holds."""
        from pytest_images.engine.ls import ls

        return ls(images, self.store, request)

    @hookimpl
    def image_rm(self, images: Images, request: RmRequest) -> tuple[Removal, ...]:
        """Take names and images away."""
        from pytest_images.engine.rm import rm

        return rm(images, self.store, request)

    @hookimpl
    def image_prune(self, images: Images, request: PruneRequest) -> tuple[Removal, ...]:
        """Take away what nothing uses."""
        from pytest_images.engine.prune import prune

        return prune(images, self.store, request)

    @hookimpl
    def image_inspect(self, images: Images, request: InspectRequest) -> Inspection:
        """Say everything about an image."""
        from pytest_images.engine.inspect import inspect

        return inspect(images, self.store, request)

    @hookimpl
    def image_tag(self, images: Images, request: TagRequest) -> Image:
        """Give an image a further name."""
        from pytest_images.engine.tag import tag

        return tag(images, self.store, request)

    @hookimpl
    def image_history(self, images: Images, request: HistoryRequest) -> tuple[HistoryLine, ...]:
        """Say how an image was made."""
        from pytest_images.engine.history import history

        return history(images, self.store, request)

    @hookimpl
    def image_import(self, images: Images, request: ImportRequest) -> Image:
        """Make an image of a root file system's tar."""
        from pytest_images.engine.import_ import import_

        return import_(images, self.store, request)

    @hookimpl
    def image_build(self, images: Images, request: BuildRequest) -> BuildResult:
        """Build from a Dockerfile."""
        from pytest_images.engine.build import build

        return build(images, self.store, request)
