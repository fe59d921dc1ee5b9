"""Layers on their way out: tar members in POSIX form, the same bytes for the same files.

Plain ustar headers, pax where a field cannot hold its value (a long name, a large ID or size,
extended attributes). No user names, no times below a second: nothing that differs between
machines.
"""

from __future__ import annotations

import errno
import os
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol
from zlib import adler32

from pytest_images.layer.changed import Changed, pread_whole
from pytest_images.layer.header import BLOCK
from pytest_images.layer.member import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.layer.blocks import Readable

_TYPES = {
    Kind.FILE: b"0",
    Kind.HARDLINK: b"1",
    Kind.SYMLINK: b"2",
    Kind.CHARACTER: b"3",
    Kind.BLOCK: b"4",
    Kind.DIRECTORY: b"5",
    Kind.FIFO: b"6",
}
_NAME = 100  # bytes of a name that a header has room for
_ID_LIMIT = 0o7777777
_SIZE_LIMIT = 0o77777777777
_TIME_LIMIT = 0o77777777777
_BUFFER = 1 << 20  # bytes of headers and small files that are written at once
_KERNEL_FROM = 1 << 18  # bytes from which the kernel copies a file
_STEP = 8 << 20  # bytes that it copies at once: short enough for Ctrl-C
_XATTR = "SCHILY.xattr."
_SUM = 148  # bytes before the checksum, whose field counts as spaces
_MAGIC = b"ustar\x0000" + bytes(64)
_NO_DEVICE = b"%07o\0%07o\0" % (0, 0)
_REST = bytes(BLOCK - _SUM - 8 - 1 - _NAME - len(_MAGIC) - len(_NO_DEVICE))
_NONE: Mapping[str, bytes] = MappingProxyType({})
_UNABLE = frozenset({errno.EINVAL, errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF})


class Sink(Protocol):
    """Where a layer goes: an ingest of the store."""

    def write(self, data: bytes | memoryview) -> None:
        """Append *data*."""

    def fileno(self) -> int:
        """Return the file's descriptor, positioned at its end."""
        ...

    def advance(self, count: int) -> None:
        """Hear that *count* bytes were appended through the descriptor."""


class Entry(NamedTuple):
    """One member to write. *name* has no leading slash; a folder's needs none at its end.

    *mtime* is in seconds since 1970, *size* in bytes, *linkname* where a link leads.
    """

    name: bytes
    kind: Kind
    mode: int
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    size: int = 0
    linkname: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[str, bytes] = _NONE


class LayerWriter:
    """Writes members one after the other, then `finish`."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = bytearray()
        self._is_empty = True

    def add(self, entry: Entry) -> None:
        """Write a member without content."""
        self._begin(entry)
        self._flush(_BUFFER)

    def add_bytes(self, entry: Entry, content: bytes) -> None:
        """Write a file with *content*, whose length is the entry's size."""
        self._begin(entry)
        self._buffer += content
        self._pad(entry.size)
        self._flush(_BUFFER)

    def add_file(self, entry: Entry, descriptor: int) -> None:
        """Write a file with the first ``entry.size`` bytes of what *descriptor* is open on.

        Raises Changed where it has fewer.
        """
        if entry.size < _KERNEL_FROM:
            content = pread_whole(descriptor, entry.size)
            if len(content) != entry.size:
                raise Changed
            self.add_bytes(entry, content)
            return
        self._begin(entry)
        self._flush(0)
        self._copy(descriptor, entry.size)
        self._pad(entry.size)

    def add_stream(self, entry: Entry, stream: Readable) -> None:
        """Write a file with ``entry.size`` bytes of *stream*. Raises Changed: it has fewer."""
        self._begin(entry)
        left = entry.size
        while left:
            piece = stream.read(min(_BUFFER, left))
            if not piece:
                raise Changed
            left -= len(piece)
            if len(piece) == _BUFFER:
                self._flush(0)
                self._sink.write(piece)
            else:
                self._buffer += piece
                self._flush(_BUFFER)
        self._pad(entry.size)

    @property
    def is_empty(self) -> bool:
        """Whether no member was written."""
        return self._is_empty

    def finish(self) -> None:
        """Write the end of the archive."""
        self._buffer += bytes(2 * BLOCK)
        self._flush(0)

    def _begin(self, entry: Entry) -> None:
        self._is_empty = False
        self._buffer += header(entry)

    def _pad(self, size: int) -> None:
        self._buffer += bytes(-size % BLOCK)

    def _flush(self, limit: int) -> None:
        if len(self._buffer) > limit:
            self._sink.write(memoryview(bytes(self._buffer)))
            self._buffer.clear()

    def _copy(self, source: int, size: int) -> None:
        """Let the kernel copy, or copy by hand where it cannot."""
        done = 0
        while done < size and hasattr(os, "copy_file_range"):
            try:
                step = min(_STEP, size - done)
                count = os.copy_file_range(source, self._sink.fileno(), step, offset_src=done)
            except OSError as error:
                if error.errno in _UNABLE:
                    break
                raise
            if not count:
                raise Changed
            self._sink.advance(count)
            done += count
        while done < size:
            piece = os.pread(source, min(_BUFFER, size - done), done)
            if not piece:
                raise Changed
            self._sink.write(piece)
            done += len(piece)


def header(entry: Entry) -> bytes:
    """Return all that stands before the content of a member."""
    name = entry.name
    if entry.kind is Kind.DIRECTORY and not name.endswith(b"/"):
        name += b"/"
    records: list[tuple[str, bytes]] = []
    if len(name) > _NAME:
        records.append(("path", name))
    if len(entry.linkname) > _NAME:
        records.append(("linkpath", entry.linkname))
    uid, gid, size, mtime = entry.uid, entry.gid, entry.size, entry.mtime
    if size > _SIZE_LIMIT:
        records.append(("size", b"%d" % size))
        size = 0
    if uid > _ID_LIMIT:
        records.append(("uid", b"%d" % uid))
        uid = 0
    if gid > _ID_LIMIT:
        records.append(("gid", b"%d" % gid))
        gid = 0
    if not 0 <= mtime <= _TIME_LIMIT:
        records.append(("mtime", b"%d" % mtime))
        mtime = 0
    if entry.xattrs:
        records += [(_XATTR + key, value) for key, value in sorted(entry.xattrs.items())]
    before = _extended(records) if records else b""
    link = entry.linkname[:_NAME]
    kind = _TYPES[entry.kind]
    return before + _block(
        name[:_NAME], entry.mode, uid, gid, size, mtime, kind, link, entry.device
    )


def _extended(records: list[tuple[str, bytes]]) -> bytes:
    data = b"".join(
        _record(key.encode("utf-8", "surrogateescape"), value) for key, value in records
    )
    head = _block(b"pax", 0o644, 0, 0, len(data), 0, b"x", b"", (0, 0))
    return head + data + bytes(-len(data) % BLOCK)


def _record(key: bytes, value: bytes) -> bytes:
    """Return one pax record, whose length counts its own digits."""
    rest = b" %b=%b\n" % (key, value)
    length = len(rest)
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d" % length + rest


def _block(  # noqa: PLR0917 - made for each of many thousand members: positions are cheapest
    name: bytes,
    mode: int,
    uid: int,
    gid: int,
    size: int,
    mtime: int,
    kind: bytes,
    link: bytes,
    device: tuple[int, int],
) -> bytes:
    numbers = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, uid, gid, size, mtime)
    devices = b"%07o\0%07o\0" % device if device != (0, 0) else _NO_DEVICE
    start = b"%b%b%b        %b%b%b%b%b" % (
        *(name, bytes(_NAME - len(name)), numbers),
        *(kind, link, bytes(_NAME - len(link)), _MAGIC, devices),
    )
    # Adler's low half is the sum of the bytes plus one, at a tenth of the cost, as long as the
    # sum stays below its modulus: when no byte exceeds 127.
    total = (adler32(start) & 0xFFFF) - 1 if start.isascii() else sum(start)
    return b"%b%06o\0 %b%b" % (start[:_SUM], total, start[_SUM + 8 :], _REST)
