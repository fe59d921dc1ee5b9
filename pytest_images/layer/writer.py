"""Layers on their way out: tar members in POSIX form, the same bytes for the same files.

Plain ustar headers, pax where a field cannot hold its value (a long name, a large ID or size,
extended attributes). No user names, no times below a second: nothing that differs between
machines.
"""

from __future__ import annotations

import errno
import os
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol
from zlib import adler32

from pytest_images.layer.changed import Changed, pread_whole
from pytest_images.layer.header import BLOCK
from pytest_images.layer.member import XATTR, Kind
from pytest_images.layer.written import MOST
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.layer.blocks import Readable
    from pytest_images.layer.written import Noted

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
_XATTR = XATTR.decode()
_MAGIC = b"ustar\x0000" + bytes(64)
_SUM, _FIELD = 148, 8  # bytes before the checksum, and of its field, which count as spaces
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
        self._pieces: list[bytes] = []
        self._size = 0  # bytes of all pieces
        self._placed = 0  # bytes before them
        self._noted: list[Noted] = []
        self._is_noted = True
        self._is_empty = True

    def add(self, entry: Entry) -> None:
        """Write a member without content."""
        self._begin(entry)

    def add_bytes(self, entry: Entry, content: bytes) -> None:
        """Write a file with *content*, whose length is the entry's size."""
        self._begin(entry)
        self._put(content)
        self._put(bytes(-entry.size % BLOCK))

    def add_plain(  # noqa: PLR0917 - called for each of many thousand files
        self, name: bytes, mode: int, uid: int, gid: int, mtime: int, content: bytes
    ) -> None:
        """As `add_bytes`, of a file without attributes: what ten thousand of them are."""
        size = len(content)
        head = _block(name, _facts(mode, uid, gid, mtime), size, _PLAIN)
        if len(head) == BLOCK and mtime >= 0:
            offset = self._placed + self._size + BLOCK
            self._noted.append((name, mode, uid, gid, mtime, size, offset))
            self._pieces += head, content
            self._size += BLOCK + size
            self._put(bytes(-size % BLOCK))
        else:  # something does not fit in its field
            self.add_bytes(Entry(name, Kind.FILE, mode, uid, gid, mtime, size), content)

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
        self._flush()
        self._copy(descriptor, entry.size)
        self._put(bytes(-entry.size % BLOCK))

    def add_stream(self, entry: Entry, stream: Readable) -> None:
        """Write a file with ``entry.size`` bytes of *stream*. Raises Changed: it has fewer."""
        self._begin(entry)
        if entry.size >= _BUFFER:
            self._flush()  # large pieces are written as they are
        left = entry.size
        while left:
            piece = stream.read(min(_BUFFER, left))
            if not piece:
                raise Changed
            left -= len(piece)
            self._put(piece)
        self._put(bytes(-entry.size % BLOCK))

    @property
    def is_empty(self) -> bool:
        """Whether no member was written."""
        return self._is_empty

    @property
    def noted(self) -> list[Noted] | None:
        """What was written, None: too much to note it."""
        return self._noted if self._is_noted else None

    def finish(self) -> None:
        """Write the end of the archive."""
        self._pieces.append(bytes(2 * BLOCK))
        self._flush()

    def _begin(self, entry: Entry) -> None:
        self._put(header(entry))
        self._noted.append((entry, self._placed + self._size))

    def _put(self, piece: bytes) -> None:
        self._is_empty = False
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _BUFFER:
            self._flush()

    def _flush(self) -> None:
        if self._pieces:
            self._sink.write(b"".join(self._pieces))
            self._pieces.clear()
            self._placed += self._size
            self._size = 0
        if len(self._noted) > MOST:
            self._noted.clear()
            self._is_noted = False

    def _copy(self, source: int, size: int) -> None:
        """Let the kernel copy, or copy by hand where it cannot."""
        self._placed += size
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
    facts = _facts(entry.mode, uid, gid, mtime)
    end = _end(_TYPES[entry.kind], entry.linkname[:_NAME], entry.device)
    return before + _block(name[:_NAME], facts, size, end)


def _extended(records: list[tuple[str, bytes]]) -> bytes:
    data = b"".join(
        _record(key.encode("utf-8", "surrogateescape"), value) for key, value in records
    )
    head = _block(b"pax", _facts(0o644, 0, 0, 0), len(data), _end(b"x"))
    return head + data + bytes(-len(data) % BLOCK)


def _record(key: bytes, value: bytes) -> bytes:
    """Return one pax record, whose length counts its own digits."""
    rest = b" %b=%b\n" % (key, value)
    length = len(rest)
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d" % length + rest


def _block(name: bytes, facts: tuple[bytes, bytes], size: int, end: tuple[bytes, int]) -> bytes:
    """Return a header; longer than a block where the name or a number does not fit."""
    start = b"%b%b%011o\0%b" % (name.ljust(_NAME, b"\0"), facts[0], size, facts[1])
    # Adler's low half is the sum of the bytes plus one, at a tenth of the cost, as long as the
    # sum stays below its modulus: that of so few bytes does.
    return b"%b%06o\0 %b" % (start, end[1] + (adler32(start) & 0xFFFF), end[0])


@lru_cache(maxsize=1024)
def _facts(mode: int, uid: int, gid: int, mtime: int) -> tuple[bytes, bytes]:
    """Return what stands before the size, and after it: the same for most of a layer's files."""
    return b"%07o\0%07o\0%07o\0" % (mode, uid, gid), b"%011o\0" % mtime


@lru_cache(maxsize=256)
def _end(kind: bytes, link: bytes = b"", device: tuple[int, int] = (0, 0)) -> tuple[bytes, int]:
    """Return what stands after the checksum, and what that adds to it, and its own field."""
    end = b"%b%b%b%07o\0%07o\0" % (kind, link.ljust(_NAME, b"\0"), _MAGIC, *device)
    return end.ljust(BLOCK - _SUM - _FIELD, b"\0"), sum(end) + _FIELD * ord(" ") - 1


_PLAIN = _end(_TYPES[Kind.FILE])
