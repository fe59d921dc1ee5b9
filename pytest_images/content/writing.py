"""Writing all of something: one call may do a part of it, whatever the reason."""

from __future__ import annotations

import os


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
