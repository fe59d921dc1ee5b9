"""The mark of fast mode: this store may hold content that never reached the disk.

While the machine runs, what was written is what is read. After another start nothing of it
is believed: every blob is hashed once, what is wrong goes, and the index is made again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_images.content import locks
from pytest_images.content.durability import boot_id, flush, flush_folder
from pytest_images.content.failures import translated
from pytest_images.content.writing import write_whole

if TYPE_CHECKING:
    from pytest_images.content.blobs import Blobs
    from pytest_images.content.home import Home
    from pytest_images.content.index import Index

_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


def mark(home: Home) -> None:
    """Say that from now on, until the machine starts again, content may be unflushed.

    The mark itself is flushed, once: it must not be the part that is lost.
    """
    with translated(home.unflushed):
        if _marked(home) is not None:
            return
        fresh = home.unflushed.with_name(f"unflushed.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _FLAGS, 0o600)
        try:
            write_whole(descriptor, boot_id().encode())
            flush(descriptor)
        finally:
            os.close(descriptor)
        fresh.rename(home.unflushed)
        flush_folder(home.root)


def is_due(home: Home) -> bool:
    """Say whether the machine was started again since the mark was made."""
    with translated(home.unflushed):
        marked = _marked(home)
    return marked is not None and marked != boot_id()


def recover(home: Home, blobs: Blobs, index: Index, timeout: float) -> None:
    """Verify the whole store and drop what is not what it should be; then drop the mark."""
    from pytest_images.content import fsck  # needs every model; opening a store does not

    with locks.acquire(home.collect_lock, timeout):
        if is_due(home):  # else another process did it while this one waited
            fsck.check(home, blobs, index, timeout, repair=True, rebuild=True, locked=True)
            with translated(home.unflushed):
                home.unflushed.unlink()
                flush_folder(home.root)


def _marked(home: Home) -> str | None:
    try:
        descriptor = os.open(home.unflushed, os.O_RDONLY | _FLAGS)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, encoding="ascii", errors="replace") as file:
        return file.read(200)
