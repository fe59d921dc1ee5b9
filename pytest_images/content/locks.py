"""Locks between processes: flock on permanent files, released by the kernel with their holder.

The files are made with the store and never unlinked; a missing one is damage, not an
invitation to make another (two files would be two locks). Order: collect before store
before SQLite; neither is held across the network, a program or user code.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pytest_images.content.failures import store_error
from pytest_images.errors import LockTimeout, StoreDamaged, StoreUnsafe

if TYPE_CHECKING:
    from types import TracebackType

_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_FIRST_WAIT, _LONGEST_WAIT = 0.0005, 0.02  # seconds between two tries


class Held:
    """A lock that is held; leaving the block, or the end of the process, releases it.

    A forked child does not inherit it: its copy of the descriptor is closed at the fork,
    which leaves the parent's lock alone.
    """

    __slots__ = ("__weakref__", "descriptor", "path")

    def __init__(self, descriptor: int, path: Path) -> None:
        self.descriptor, self.path = descriptor, path
        _open.add(self)

    def release(self) -> None:
        """Release the lock. Safe when called twice, and when an interrupt cuts it short."""
        if self.descriptor >= 0:
            with suppress(OSError):  # closing releases too; unlocking first also frees copies
                fcntl.flock(self.descriptor, fcntl.LOCK_UN)
            descriptor, self.descriptor = self.descriptor, -1
            os.close(descriptor)
            _open.discard(self)

    def forget(self) -> None:
        """Close this process's copy without releasing the lock (after a fork)."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def __del__(self) -> None:
        if hasattr(self, "descriptor"):  # else an interrupt came before there was one
            self.release()


# Every lock this process holds: a fork must close them all in the child.
_open: weakref.WeakSet[Held] = weakref.WeakSet()


def _forget_all() -> None:
    for held in list(_open):
        held.forget()
    _open.clear()


os.register_at_fork(after_in_child=_forget_all)


def acquire(path: Path, timeout: float, *, shared: bool = False) -> Held:
    """Hold the lock *path*, waiting up to *timeout* seconds.

    Raises LockTimeout (naming the holder), StoreUnsafe (a link, a folder, another's file),
    StoreDamaged (it is missing).
    """
    deadline, wait = time.monotonic() + timeout, _FIRST_WAIT
    while True:
        held = attempt(path, shared=shared)
        if held is not None:
            return held
        if time.monotonic() >= deadline:
            raise timed_out(path, timeout)
        time.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


def attempt(path: Path, *, shared: bool = False) -> Held | None:
    """Hold the lock *path* if it is free now; None when it is not."""
    held = Held(_open_lock(path), path)
    if _lock(held.descriptor, shared=shared) and _is_current(held):
        return held
    held.release()
    return None


def take(path: Path) -> Held | None:
    """Hold the lock *path*, made where there is none, if it is free now; else None.

    What nobody else wants costs no import of filelock (30 ms of a command's start).
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600))
    except FileExistsError:
        return attempt(path)
    except OSError as error:
        raise store_error(path, error) from error
    return attempt(path)


def create(path: Path) -> Held:
    """Make a new lock file and hold it: the sign that its maker lives."""
    while True:
        held = Held(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600), path)
        # Between the two calls a sweep may take the file for a dead one's and unlink it.
        if _lock(held.descriptor, shared=False) and _is_current(held):
            return held
        held.release()
        path.unlink(missing_ok=True)


def _lock(descriptor: int, *, shared: bool) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_current(held: Held) -> bool:
    """Whether the locked file is still the one that its name stands for."""
    ours = os.fstat(held.descriptor)
    try:
        named = os.lstat(held.path)
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (named.st_dev, named.st_ino)


def _open_lock(path: Path) -> int:
    """Open a lock file for writing (NFS wants that), or for reading in a read-only store."""
    try:
        try:
            descriptor = os.open(path, os.O_RDWR | _FLAGS)
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise
            descriptor = os.open(path, os.O_RDONLY | _FLAGS)
    except FileNotFoundError:
        damaged = StoreDamaged(str(path), "the lock file is missing")
        damaged.add_note("End what uses the store, then run `pytest-images fsck --repair`.")
        raise damaged from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise StoreUnsafe(str(path), "the lock is not a regular file") from error
        raise store_error(path, error) from error
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid():
        os.close(descriptor)
        raise StoreUnsafe(str(path), "the lock is not a regular file of ours")
    return descriptor


def timed_out(path: Path, timeout: float) -> LockTimeout:
    """Return the error of a lock that was not free in time; it names the holder."""
    error = LockTimeout(str(path), f"not free within {timeout:g} s; held by {holder(path)}")
    error.add_note("End or wait for that process, then try again.")
    return error


def holder(path: Path) -> str:
    """Say which process holds the lock (flock or SQLite's) on *path*, where the system tells."""
    try:
        info = path.stat()
        lines = Path("/proc/locks").read_text("ascii").splitlines()
    except OSError:
        return f"another process (`lsof {path}` may name it)"
    suffix = f":{info.st_ino}"
    fields = (line.split() for line in lines if "->" not in line)
    pids = sorted({int(f[4]) for f in fields if len(f) > 5 and f[5].endswith(suffix)})
    named = [f"process {pid}{_program(pid)}" for pid in pids if pid > 0]
    return ", ".join(named) or "another process"


def _program(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    text = " ".join(filter(None, words))[:80]
    return f" ({text})" if text else ""
