"""Small files, read whole: no more of them than is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.errors import LimitExceeded

if TYPE_CHECKING:
    from pytest_images.layer.blocks import Readable

DOCKERFILE = "Dockerfile"
DOCKERFILE_LIMIT = 1 << 20  # bytes
PIECE = 1 << 20  # bytes read at once


def whole(stream: Readable, name: str, limit: int) -> bytes:
    """Read all of a file called *name*. Raises LimitExceeded: it has more than *limit* bytes."""
    pieces: list[bytes] = []
    left = limit + 1
    while left and (piece := stream.read(min(left, PIECE))):
        pieces.append(piece)
        left -= len(piece)
    if not left:
        raise LimitExceeded(name, "size in bytes", limit)
    return b"".join(pieces)
