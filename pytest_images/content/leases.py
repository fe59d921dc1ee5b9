"""Leases: what an operation holds while it runs, so that no collection takes it.

A lease is a file, locked by its owner and holding one digest a line. Liveness is the lock:
when the owner ends, however, the kernel frees it, and the next sweep drops the file.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from pytest_images.content import locks
from pytest_images.content.failures import translated
from pytest_images.content.writing import write_whole
from pytest_images.errors import StoreDamaged, StoreUnsafe

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from pytest_images.content.home import Home
    from pytest_images.model.digest import Digest

_DIGEST = r"sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})"


class Lease:
    """Holds blobs, there already or yet to come, until the block ends. May be shared by threads."""

    def __init__(self, home: Home, timeout: float) -> None:
        self._collect_lock, self._timeout = home.collect_lock, timeout
        self._path = home.leases / os.urandom(8).hex()
        self._mutex = threading.Lock()
        self._digests: set[Digest] = set()
        with translated(self._path):
            self._held: locks.Held | None = locks.create(self._path)

    @property
    def lives(self) -> bool:
        """Whether it holds anything: it has ended, or is the copy of a forked child, if not."""
        return self._held is not None and self._held.descriptor >= 0

    def hold(self, *digests: Digest) -> None:
        """Keep the blobs *digests* from now on; whether they are there is asked afterwards.

        Raises StoreFull, StoreError, LockTimeout.
        """
        if self._held is None or not self.lives:
            raise ValueError("the lease has ended")
        fresh = [digest for digest in dict.fromkeys(digests) if digest not in self._digests]
        if not fresh:
            return
        lines = "".join(f"{digest}\n" for digest in fresh).encode()
        with translated(self._path), locks.acquire(self._collect_lock, self._timeout, shared=True):
            self._append(self._held.descriptor, lines)
        self._digests.update(fresh)

    def _append(self, descriptor: int, lines: bytes) -> None:
        with self._mutex:
            end = os.fstat(descriptor).st_size
            # Lines of their own, even after one that a full disk has cut short.
            write_whole(descriptor, b"\n" + lines, end)

    def end(self) -> None:
        """Let go of everything. Safe when called twice."""
        held, self._held = self._held, None
        if held is not None and held.descriptor >= 0:
            with suppress(OSError):  # the lock is freed below: then a sweep drops the file
                self._path.unlink(missing_ok=True)
            held.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def held(home: Home) -> set[str]:
    """Return what all live leases hold; the files of dead ones are dropped on the way."""
    digests: set[str] = set()
    for path in _sweep(home):
        with suppress(FileNotFoundError):  # it ended meanwhile
            digests.update(re.findall(_DIGEST, path.read_text("ascii", "replace")))
    return digests


def sweep(home: Home) -> None:
    """Drop the leases whose owner is gone."""
    for _ in _sweep(home):
        pass


def _sweep(home: Home) -> list[Path]:
    """Drop dead leases; returns the files of live ones. What is no file of ours holds nothing.

    Raises StoreError where the disk does not answer: that proves no lease dead.
    """
    live = []
    for path in list(home.leases.iterdir()):
        try:
            free = locks.attempt(path)
        except (StoreDamaged, StoreUnsafe):
            continue  # it ended meanwhile, or is a link or a folder: the check names those
        if free is None:
            live.append(path)
            continue
        with free:
            path.unlink(missing_ok=True)
    return live
