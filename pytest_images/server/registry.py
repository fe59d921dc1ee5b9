"""The throw-away registry: push to it, pull from it, look at what came; then it is gone."""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
from collections import deque
from typing import TYPE_CHECKING, Self

from pytest_images.errors import Conflict
from pytest_images.hookspecs import hookimpl
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from pytest_images.content.locks import Held
    from pytest_images.images import Images
    from pytest_images.model.endpoint import Access, Endpoint
    from pytest_images.model.reference import Reference
    from pytest_images.server.listener import Listener
    from pytest_images.server.namespace import Namespace
    from pytest_images.server.service import Service
    from pytest_images.server.shelf import Shelf

BLOB_LIMIT = 64 << 30  # bytes of one blob
RECORDED = 10_000  # requests that are remembered
_NAME_BYTES = 6  # of a namespace made up: 12 hex digits


class Recorded(NamedTuple):
    """A request that was answered. ``path`` has the query; a cut one has status 499."""

    method: str
    path: str
    status: int


class Registry:
    """A registry of the OCI distribution protocol on this machine, for as long as it is started.

    *root* is the folder that keeps its content, None: a temporary one that goes with `stop`.
    *host* is the address to listen on: loopback, unless you open it to a network on purpose;
    nobody has to log in. *port* 0 takes a free one. *blob_limit* is in bytes.

    ``str(registry)`` is its address, so ``f"{registry}/app:1"`` is a name. It is also a plugin
    that answers ``registry_endpoints`` for its own address: plain HTTP, no detour.
    """

    def __init__(
        self,
        root: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        blob_limit: int = BLOB_LIMIT,
    ) -> None:
        self._root, self._host, self._port = root, host, port
        self._blob_limit = blob_limit
        self._recorded: deque[Recorded] = deque(maxlen=RECORDED)
        self._listener: Listener | None = None
        self._service: Service | None = None
        self._held: Held | None = None
        self._folder: Path | None = None
        self._process = 0
        self._address = ""
        self.on_request: Callable[[Recorded], None] | None = None

    @classmethod
    @contextlib.contextmanager
    def serving(
        cls, root: Path | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> Iterator[Self]:
        """Serve for the block; arguments as of the class."""
        with cls(root, host, port) as registry:
            yield registry

    def start(self) -> Self:
        """Listen; the registry answers when this returns. A started one stays as it is.

        Raises InvalidAddress (the port is taken), StoreError, Conflict (another process
        serves the folder).
        """
        if self._listener is not None:
            return self
        from pytest_images.server.conversation import Conversation
        from pytest_images.server.listener import Listener

        self._process = os.getpid()
        try:
            self._service = self._open()
            conversation = Conversation(self._service, self._host, self._record, self._is_stopping)
            self._listener = Listener(self._host, self._port, conversation.serve)
        except BaseException:
            self._close()
            raise
        self._address = _address(self._host, self._listener.port)
        self._listener.start()
        atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """Finish or cut what runs, in less than two seconds, and remove a temporary folder.

        Safe when called twice. A forked child never stops its parent's registry.
        """
        listener, self._listener = self._listener, None
        if listener is None or os.getpid() != self._process:
            return
        listener.stop()
        self._close()
        atexit.unregister(self.stop)

    @property
    def address(self) -> str:
        """``host:port``, as it stands in the names of images; kept after `stop`."""
        if not self._address:
            raise Conflict("registry", "it was never started, so it has no address")
        return self._address

    @property
    def url(self) -> str:
        """The address with its scheme: ``http://127.0.0.1:43211``."""
        return f"http://{self.address}"

    @property
    def requests(self) -> tuple[Recorded, ...]:
        """The requests answered so far, oldest first; the last `RECORDED` of them."""
        return tuple(self._recorded)

    def namespace(self, name: str | None = None) -> Namespace:
        """Return the repositories below *name*; None makes up a name that nobody else has."""
        from pytest_images.server.namespace import Namespace

        return Namespace(self, name or secrets.token_hex(_NAME_BYTES))

    def repositories(self) -> tuple[str, ...]:
        """Return the names of all repositories that have a manifest, in order."""
        from pytest_images.server.catalog import repositories

        return tuple(repositories(self.shelf.repositories))

    @property
    def shelf(self) -> Shelf:
        """What the registry holds, without the protocol between. Raises Conflict when stopped."""
        if self._service is None:
            raise Conflict(str(self), "the registry is not running")
        return self._service.shelf

    @hookimpl
    def registry_endpoints(
        self, images: Images, reference: Reference, access: Access
    ) -> Sequence[Endpoint] | None:
        """Answer for this registry's own address: itself, in plain HTTP."""
        del images, access
        if reference.registry != self._address:
            return None
        from pytest_images.model.endpoint import Endpoint

        return (Endpoint(self._address, "http"),)

    def __str__(self) -> str:
        return self.address

    def __repr__(self) -> str:
        state = "running" if self._listener is not None else "not running"
        return f"<Registry {self._address or 'without an address'}, {state}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _is_stopping(self) -> bool:
        return self._listener is None

    def _record(self, method: str, path: str, status: int) -> None:
        recorded = Recorded(method, path, status)
        self._recorded.append(recorded)
        if self.on_request is not None:
            self.on_request(recorded)

    def _open(self) -> Service:
        """Open the folder, alone. A folder that was given must survive a power cut whole."""
        from pytest_images.content.durability import Durability
        from pytest_images.content.store import Store
        from pytest_images.server import leftovers
        from pytest_images.server.service import Service
        from pytest_images.server.shelf import Shelf

        if self._root is None:
            self._folder = root = leftovers.make()
            durability = Durability.FAST
        else:
            root, durability = self._root, Durability.SAFE
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._held = _hold(root)
        store = Store.open(root / "content", durability=durability)
        return Service(Shelf(root, store), self._blob_limit)

    def _close(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            service.close()
        held, self._held = self._held, None
        if held is not None:
            held.release()
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _hold(root: Path) -> Held:
    """Be the only one that serves *root*: what belongs to nobody is deleted in there."""
    from pytest_images.content import locks
    from pytest_images.server.leftovers import LOCK

    path = root / LOCK
    path.touch(0o600)
    held = locks.attempt(path)
    if held is None:
        busy = Conflict(str(root), f"another registry serves it: {locks.holder(path)}")
        busy.add_note("Stop that one, or serve another folder.")
        raise busy
    return held


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
