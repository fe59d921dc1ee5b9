"""Guards: pieces of work that one process at a time does, held as long as the work takes.

Each is a lock of its own, named by what is done (``"pull", name``). One that is free is taken
by the call that commands use elsewhere too; filelock, made for waiting, is imported to wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.content import locks
from pytest_images.model.digest import sha256

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pytest_images.content.home import Home

PATIENCE = 15  # a guard lasts as long as its work: it is awaited so many times a short lock's time


def claim(home: Home, key: tuple[str, ...]) -> AbstractContextManager[object] | None:
    """Take the guard of *key* where it is free now; None: another has it."""
    return locks.take(_path(home, key))


def hold(home: Home, key: tuple[str, ...], timeout: float) -> AbstractContextManager[object]:
    """Take the guard of *key*; *timeout* is that of a short lock, in seconds.

    Raises LockTimeout naming the holder.
    """
    path = _path(home, key)
    return locks.take(path) or _awaited(path, timeout * PATIENCE)


def _path(home: Home, key: tuple[str, ...]) -> Path:
    text = sha256("\0".join(map(str, key)).encode()).hexdigest()
    return home.guards / f"{text}.lock"


def _awaited(path: Path, timeout: float) -> AbstractContextManager[object]:
    """Wait for a guard that another holds: the same flock."""
    import filelock

    lock = filelock.FileLock(path, timeout=timeout, mode=0o600, thread_local=False)
    try:
        return lock.acquire()
    except filelock.Timeout:
        raise locks.timed_out(path, timeout) from None
