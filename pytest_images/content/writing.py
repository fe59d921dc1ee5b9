"""Writing all of something: one call may do a part of it, whatever the reason."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(descriptor: int, data: bytes, at: int | None = None) -> None:
    """Write all of *data*, to the offset *at* or where the descriptor is. Raises OSError."""
    view = memoryview(data)
    while view:
        if at is None:
            done = os.write(descriptor, view)
        else:
            done = os.pwrite(descriptor, view, at)
            at += done
        view = view[done:]


def replace_whole(path: Path, data: bytes) -> None:
    """Let the file *path* be *data*, at once for whoever reads it. Raises OSError.

    It is its owner's alone. Nothing is flushed. What a failure left is gone; what a kill left is
    written over.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_native_id()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_whole(descriptor, data)
        finally:
            os.close(descriptor)
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
