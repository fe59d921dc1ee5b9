"""The way out: tar members into any stream, large ones by the kernel where it can."""

from __future__ import annotations

import errno
import io
import os
import select
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 512
_STEP = 8 << 20  # bytes the kernel copies at once: short enough for Ctrl-C
_PIECE = 1 << 18
_NAME = 100  # bytes of a name that a header has room for
_OCTAL = 8 << 30  # bytes from which a size no longer fits into its field
# The kernel cannot copy between these two files, or not to one opened for appending.
_UNABLE = frozenset(
    {errno.EINVAL, errno.EXDEV, errno.ENOSYS, errno.EBADF, errno.EOPNOTSUPP, errno.ENOTSOCK}
)


def header(path: str, size: int, *, is_folder: bool = False) -> bytes:
    """Return what stands before a member of *size* bytes: POSIX ustar, pax where it must.

    Owner, group and time are 0, so that the same content gives the same bytes.
    """
    name = path.encode()
    records = {}
    if len(name) > _NAME:
        records["path"] = path
    if size >= _OCTAL:
        records["size"] = str(size)
    extended = b"".join(_record(*record) for record in records.items())
    before = b""
    if extended:
        before = _block(b"pax", len(extended), b"x", 0o644) + padded(extended)
    kind, mode = (b"5", 0o755) if is_folder else (b"0", 0o644)
    return before + _block(name[:_NAME], size if size < _OCTAL else 0, kind, mode)


def padded(content: bytes) -> bytes:
    """Return *content* with zeros up to a whole block."""
    return content + bytes(-len(content) % BLOCK)


def _record(key: str, value: str) -> bytes:
    """Return one pax record, whose length counts its own digits."""
    rest = f" {key}={value}\n"
    length = len(rest)
    while len(text := f"{length}{rest}") != length:
        length = len(text)
    return text.encode()


def _block(name: bytes, size: int, kind: bytes, mode: int) -> bytes:
    fields = (
        name.ljust(_NAME, b"\0") + b"%07o\0" % mode + b"%07o\0" % 0 * 2 + b"%011o\0%011o\0"
    ) % (size, 0)
    rest = (kind + bytes(100) + b"ustar\x0000" + bytes(64) + b"%07o\0" % 0 * 2).ljust(356, b"\0")
    total = sum(fields) + 8 * ord(" ") + sum(rest)
    return fields + b"%06o\0 " % total + rest


class Output:
    """A stream that is written once, from where it stands; it stays open.

    A plain file, pipe or the standard output is written through its descriptor; anything
    else, which may do more than pass bytes on, through its ``write``.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._descriptor = _descriptor(stream)
        self._ways: list[Callable[[int, int, int, int], int]] = []
        if self._descriptor is not None:
            stream.flush()
            self._ways = [_copy_file_range, os.sendfile] if hasattr(os, "sendfile") else []

    def write(self, content: bytes) -> None:
        """Write all of *content*."""
        view = memoryview(content)
        while view:
            count = self._some(view)
            view = view[len(view) if count is None else count :]

    def copy(self, file: BinaryIO, size: int) -> None:
        """Write the first *size* bytes of *file*. Raises EOFError where it has fewer."""
        done = 0
        while self._ways and done < size:
            try:
                count = self._move(file.fileno(), done, min(_STEP, size - done))
            except OSError as error:
                if error.errno not in _UNABLE:
                    raise
                self._ways.pop(0)
                continue
            if not count:
                raise EOFError(done)
            done += count
        file.seek(done)
        while done < size:
            piece = file.read(min(_PIECE, size - done))
            if not piece:
                raise EOFError(done)
            self.write(piece)
            done += len(piece)

    def _move(self, source: int, offset: int, count: int) -> int:
        target = self._descriptor if self._descriptor is not None else -1  # has a way: is one
        while True:
            try:
                return self._ways[0](target, source, offset, count)
            except BlockingIOError:
                _await_reader(target)

    def _some(self, view: memoryview) -> int | None:
        if self._descriptor is None:
            return self._stream.write(view)
        try:
            return os.write(self._descriptor, view)
        except BlockingIOError:
            _await_reader(self._descriptor)
            return 0


def _await_reader(descriptor: int) -> None:
    """Wait until a pipe has room: whoever opened its other end may have made it not block."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()


def _copy_file_range(target: int, source: int, offset: int, count: int) -> int:
    if not hasattr(os, "copy_file_range"):
        raise OSError(errno.ENOSYS, "copy_file_range")
    return os.copy_file_range(source, target, count, offset_src=offset)


def _descriptor(stream: BinaryIO) -> int | None:
    """Return the descriptor of a stream that only passes bytes on to it.

    By its very type: a compressing stream has a descriptor too, of what it compresses into.
    """
    raw = getattr(stream, "raw", None)
    is_buffered = type(stream) in (io.BufferedWriter, io.BufferedRandom)
    if type(stream) is io.FileIO or (is_buffered and type(raw) is io.FileIO):
        return stream.fileno()
    return None
