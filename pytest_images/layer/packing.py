"""Layers compressed for their way into a registry: gzip, the same bytes each time."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from pytest_images.layer.blocks import Readable

LEVEL = 3  # of isal: within a sixth of the size that gzip's 6 gives, at a tenth of its time
_ZLIB_LEVEL = 6
_THREADS = 4  # at most; the bytes do not depend on how many
_PIECE = 1 << 20


class _Writable(Protocol):
    def write(self, data: bytes | memoryview) -> None: ...


def pack(stream: Readable, sink: _Writable) -> None:
    """Write *stream* compressed to *sink*: by isal in threads, by zlib where it is not there."""
    try:
        from isal import igzip_threaded
    except ImportError:
        _pack_by_zlib(stream, sink)
        return
    threads = min(_THREADS, os.cpu_count() or 1)
    passing = _Passing(sink)
    begin: Callable[..., BinaryIO] = igzip_threaded.open
    with begin(passing, "wb", compresslevel=LEVEL, threads=threads) as out:
        while piece := _whole(stream):
            out.write(piece)


def _pack_by_zlib(stream: Readable, sink: _Writable) -> None:
    deflate = zlib.compressobj(_ZLIB_LEVEL, wbits=31)  # 16 + 15: gzip's header, without a time
    while piece := stream.read(_PIECE):
        sink.write(deflate.compress(piece))
    sink.write(deflate.flush())


def _whole(stream: Readable) -> bytes:
    """Read a whole piece: how a stream is cut decides which bytes come out."""
    pieces: list[bytes] = []
    left = _PIECE
    while left and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


class _Passing:
    """A sink as isal wants it: with a flush, which is not one to the disk."""

    def __init__(self, sink: _Writable) -> None:
        self._sink = sink

    def write(self, data: bytes | memoryview) -> int:
        self._sink.write(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: who commits the blob flushes it."""
