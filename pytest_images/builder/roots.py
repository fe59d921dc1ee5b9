"""Layers unpacked on the disk, kept from build to build: what RUN steps stand on.

Each layer is a folder of its own, named by its diff ID, that appears whole. Who uses it holds
a shared lock; who clears takes only what nobody holds. Everything here can be lost: it is made
again from the layers.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.builder.unpack import unpack
from pytest_images.content import locks
from pytest_images.content.store import LOCK_TIMEOUT
from pytest_images.layer.limit import expansion_limit
from pytest_images.namedtuple import NamedTuple
from pytest_images.sandbox.removal import remove
from pytest_images.sandbox.users import as_root, usable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_images.content.store import Store
    from pytest_images.model.digest import Digest

KEPT_DAYS = 14  # how long an unpacked layer is kept that no build uses
_DAY = 86400


class Unpackable(NamedTuple):
    """A layer of the store: its blob, and the digest of what it is unpacked."""

    digest: Digest
    diff_id: Digest


class Roots:
    """The unpacked layers of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.workspace("roots")

    @contextmanager
    def unpacked(self, layers: Sequence[Unpackable]) -> Iterator[tuple[Path, ...]]:
        """Give a folder for each of *layers* (lowest first), top first, held until the end.

        Raises InvalidLayer, DigestMismatch, LimitExceeded, BlobNotFound, SandboxError, and
        OSError for a full disk.
        """
        with ExitStack() as held:
            found: list[Path] = []
            for layer in layers:
                held.enter_context(self._hold(layer))
                found.insert(0, self._one(layer, found))
            yield tuple(found)

    def merge(self, layers: Sequence[Unpackable], folder: Path) -> None:
        """Unpack *layers* (lowest first) one over the other into the empty *folder*."""
        for layer in layers:
            self._unpack(layer, folder, (), merged=True)

    def clear(self, older: float = KEPT_DAYS * _DAY) -> None:
        """Take away the layers that nobody used for *older* seconds, and what was cut short."""
        limit = time.time() - older
        for lock in list(self._folder.glob("*.lock")):
            with suppress(FileNotFoundError):
                if lock.stat().st_mtime > limit:
                    continue
                held = locks.attempt(lock)
                if held is not None:  # nobody uses it
                    with held:
                        self._drop(self._folder / lock.stem)
        for leftover in list(self._folder.glob("new-*")):
            with suppress(FileNotFoundError):
                if leftover.stat().st_mtime < time.time() - _DAY:
                    remove(leftover)

    def _drop(self, path: Path) -> None:
        doomed = Path(tempfile.mkdtemp(prefix="new-", dir=self._folder)) / "layer"
        with suppress(FileNotFoundError):
            path.rename(doomed)  # at once: nobody may find half of it
        remove(doomed.parent)

    @contextmanager
    def _hold(self, layer: Unpackable) -> Iterator[None]:
        lock = self._folder / f"{layer.diff_id.encoded}.lock"
        lock.touch(0o600)  # the time of its last use, too
        with locks.acquire(lock, LOCK_TIMEOUT, shared=True):
            yield

    def _one(self, layer: Unpackable, below: Sequence[Path]) -> Path:
        path = self._folder / layer.diff_id.encoded
        if not path.exists():
            with self._store.guard("root", str(layer.diff_id)):
                if not path.exists():  # else another one made it meanwhile
                    self._make(layer, below, path)
        return path

    def _make(self, layer: Unpackable, below: Sequence[Path], path: Path) -> None:
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=self._folder))
        try:
            inner = fresh / "layer"
            inner.mkdir(0o755)
            self._unpack(layer, inner, below, merged=False)
            inner.rename(path)
        finally:
            remove(fresh)

    def _unpack(
        self, layer: Unpackable, folder: Path, below: Sequence[Path], *, merged: bool
    ) -> None:
        as_root(
            unpack,
            {
                "blob": str(self._store.path(layer.digest)),
                "folder": str(folder),
                "diff_id": str(layer.diff_id),
                "source": f"layer {layer.digest}",
                "limit": expansion_limit(self._store.root),
                "below": list(map(str, below)),
                "merged": merged,
                "single": usable().users.is_single,
            },
        )
