"""Files out of one layer as it is stored: what is compressed is inflated up to them, once.

Reading on in the layer's order goes on where the last file ended. Who goes back again and
again gets the layer inflated into an unnamed temporary file, from where every file is as near.
"""

from __future__ import annotations

import io
import os
import threading
import weakref
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from pytest_images.content.writing import write_whole
from pytest_images.errors import InvalidLayer, LimitExceeded
from pytest_images.layer.blocks import Blocks
from pytest_images.layer.compression import Compression, decompress
from pytest_images.layer.tar import members

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from pytest_images.layer.blocks import Readable
    from pytest_images.layer.contents import Contents

BYTES_LIMIT = 1 << 30  # bytes that one call may take into memory
RESTARTS = 2  # how often a layer is inflated from its start before it is kept inflated
_CHUNK = 1 << 20


class LayerReader:
    """The content of one layer's files, whichever way it is compressed. Used by many threads.

    *open_blob* opens the layer as it is stored; *limit* bounds what may come out of it, in
    bytes; the inflated copy, if it ever comes to that, lies in *folder*.
    """

    def __init__(
        self, open_blob: Callable[[], BinaryIO], contents: Contents, limit: int | None, folder: Path
    ) -> None:
        self._open_blob, self._contents, self._limit = open_blob, contents, limit
        self._folder = folder
        self._lock = threading.Lock()
        self._cursor: _Cursor | None = None
        self._plain: int | None = None  # the descriptor of the layer without its compression
        self._is_compressed = False  # once it was looked at
        self._restarts = 0

    def read(self, index: int) -> bytes:
        """Return the whole content of the file at *index*. Raises LimitExceeded, InvalidLayer."""
        size = self._contents.sizes[index]
        if size > BYTES_LIMIT:
            error = LimitExceeded(self._contents.source, "file size in bytes", BYTES_LIMIT)
            error.add_note("Read it in pieces, from open('rb').")
            raise error
        if index in self._contents.sparse:
            with self.open(index) as stream:
                return stream.read()
        with self._lock:
            descriptor = self._random()
            if descriptor is None:
                return self._onward(self._contents.offsets[index], size)
        return self._whole(_pread(descriptor, self._contents.offsets[index], size), size)

    def open(self, index: int) -> io.BufferedReader:
        """Return the content of the file at *index* as a stream of its own, to be closed."""
        contents = self._contents
        with self._lock:
            descriptor = None if index in contents.sparse else self._random()
            if descriptor is None:
                self._restarts += 1
            else:
                descriptor = os.dup(descriptor)
        if descriptor is None:
            return self._inflating(index)
        file = os.fdopen(descriptor, "rb", buffering=0)
        read = partial(_read_on, descriptor, [contents.offsets[index]])
        return _buffered(_Stream(file, read, contents.sizes[index], contents.source))

    def _inflating(self, index: int) -> io.BufferedReader:
        """Return a stream that inflates the layer up to the file."""
        blob = self._open_blob()
        try:
            return _buffered(self._stream(blob, index))
        except BaseException:
            blob.close()
            raise

    def _stream(self, blob: BinaryIO, index: int) -> _Stream:
        contents, source = self._contents, self._contents.source
        tar = decompress(blob, source, self._limit)
        if index in contents.sparse:  # its map stands before it: the reader knows how
            member = next(islice(members(tar, source), index, None))
            return _Stream(blob, member.read, member.size, source)
        blocks = Blocks(tar)
        if not blocks.skip(contents.offsets[index]):
            raise _cut(source)
        return _Stream(blob, blocks.read, contents.sizes[index], source)

    def _onward(self, offset: int, size: int) -> bytes:
        """Read from the cursor, put back to the start where it is too far."""
        if self._cursor is None or not self._cursor.can_reach(offset):
            if self._cursor is not None:
                self._restarts += 1
            self._cursor = _Cursor(self._open_blob(), self._contents.source, self._limit)
        if not self._cursor.skip_to(offset):
            raise _cut(self._contents.source)
        return self._whole(self._cursor.take(size), size)

    def _random(self) -> int | None:
        """Return a descriptor of the plain tar: the blob itself, or a copy once it is worth one."""
        if self._plain is not None:
            return self._plain
        if self._is_compressed and self._restarts < RESTARTS:
            return None
        with self._open_blob() as blob:
            tar = decompress(blob, self._contents.source, self._limit)
            if tar.compression is Compression.NONE:
                self._keep(os.dup(blob.fileno()))
            elif self._is_compressed:
                self._restarts = 0
                with suppress(OSError):  # no room: then it is inflated again each time
                    self._keep(_inflated(tar, self._folder))
            self._is_compressed = True
        return self._plain

    def _keep(self, descriptor: int) -> None:
        self._plain, self._cursor = descriptor, None
        weakref.finalize(self, os.close, descriptor)

    def _whole(self, content: bytes, size: int) -> bytes:
        if len(content) != size:
            raise _cut(self._contents.source)
        return content


class _Cursor:
    """A pass over the inflated layer that stops where it was told to."""

    def __init__(self, blob: BinaryIO, source: str, limit: int | None) -> None:
        weakref.finalize(self, blob.close)
        self._process = os.getpid()
        self._blocks = Blocks(decompress(blob, source, limit))

    def can_reach(self, offset: int) -> bool:
        """Whether it has not passed *offset*; a forked child leaves its parent's alone."""
        return self._blocks.offset <= offset and self._process == os.getpid()

    def skip_to(self, offset: int) -> bool:
        return self._blocks.skip(offset - self._blocks.offset)

    def take(self, size: int) -> bytes:
        return self._blocks.take(size)


class _Stream(io.RawIOBase):
    """One file's content, from where *read* stands; closes the blob under it."""

    def __init__(
        self, blob: BinaryIO, read: Callable[[int], bytes], size: int, source: str
    ) -> None:
        super().__init__()
        self._blob, self._read, self._left, self._source = blob, read, size, source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # any writable buffer
        if not self._left:
            return 0
        piece = self._read(min(len(buffer), self._left))
        if not piece:
            raise _cut(self._source)
        self._left -= len(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._blob.close()
        super().close()


def _buffered(raw: _Stream) -> io.BufferedReader:
    return io.BufferedReader(raw, 1 << 16)


def _read_on(descriptor: int, at: list[int], size: int) -> bytes:
    """Read on from *at*, which is where the next bytes are then: others read it too."""
    piece = os.pread(descriptor, size, at[0])
    at[0] += len(piece)
    return piece


def _inflated(tar: Readable, folder: Path) -> int:
    """Return a descriptor of a file without a name that holds the whole of *tar*."""
    import tempfile

    with tempfile.TemporaryFile(dir=folder, buffering=0) as copy:
        while piece := tar.read(_CHUNK):
            write_whole(copy.fileno(), piece)
        return os.dup(copy.fileno())


def _pread(descriptor: int, offset: int, size: int) -> bytes:
    pieces = []
    while size and (piece := os.pread(descriptor, min(size, 1 << 30), offset)):
        pieces.append(piece)
        offset, size = offset + len(piece), size - len(piece)
    return b"".join(pieces)


def _cut(source: str) -> InvalidLayer:
    """Return the error for a layer that is shorter than it was when it was looked through."""
    error = InvalidLayer(source, "it ends before a file that it listed")
    error.add_note("Run `pytest-images fsck`.")
    return error
