"""Tar archives made byte by byte, so that they can be wrong."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from pytest_images.layer.tar import members

if TYPE_CHECKING:
    from pytest_images.layer.member import Member

BLOCK = 512
END = bytes(2 * BLOCK)
USTAR, GNU, V7 = b"ustar\x0000", b"ustar  \0", bytes(8)


def header(
    name: bytes,
    kind: bytes = b"0",
    size: int | bytes = 0,
    link: bytes = b"",
    *,
    magic: bytes = USTAR,
    prefix: bytes = b"",
    uid: int | bytes = 0,
    mtime: int | bytes = 0,
    tail: bytes = b"",
) -> bytes:
    """A header block with the right checksum; numbers are octal, bytes are taken as they are."""
    fields = struct.pack(
        "100s8s8s8s12s12s8s1s100s8s32s32s8s8s167s",
        name,
        b"0000644\0",
        _octal(uid, 8),
        b"0000000\0",
        _octal(size, 12),
        _octal(mtime, 12),
        b" " * 8,
        kind,
        link,
        magic,
        b"user",
        b"group",
        b"0000001\0",
        b"0000002\0",
        prefix,
    )
    fields = fields[: BLOCK - len(tail)] + tail if tail else fields
    return signed(fields)


def signed(block: bytes) -> bytes:
    """The block with the checksum that fits."""
    total = sum(block[:148]) + 8 * 32 + sum(block[156:])
    return block[:148] + b"%06o\0 " % total + block[156:]


def _octal(value: int | bytes, width: int) -> bytes:
    return value if isinstance(value, bytes) else b"%0*o\0" % (width - 1, value)


def base256(value: int, width: int = 12) -> bytes:
    """A number as GNU tar writes it when octal does not hold it."""
    mark = b"\x80" if value >= 0 else b"\xff"
    return mark + value.to_bytes(width - 1, "big", signed=value < 0)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def member(name: bytes, data: bytes = b"", kind: bytes = b"0", **fields: object) -> bytes:
    fields.setdefault("size", len(data))
    return header(name, kind, **fields) + padded(data)  # type: ignore[arg-type]  # passed on


def record(key: bytes, value: bytes) -> bytes:
    """One pax record; its length counts itself."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d" % length + rest


def pax(kind: bytes = b"x", **records: bytes) -> bytes:
    """An extended header; ``GNU_sparse_map`` stands for ``GNU.sparse.map``."""
    names = {key: key.replace("GNU_sparse_", "GNU.sparse.").encode() for key in records}
    data = b"".join(record(names[key], value) for key, value in records.items())
    return member(b"pax", data, kind)


def read(raw: bytes) -> list[tuple[bytes, bytes]]:
    """Names and content of an archive's members, by our reader."""
    return [(each.name, content(each)) for each in members(io.BytesIO(raw), "archive")]


def content(each: Member) -> bytes:
    pieces = []
    while piece := each.read(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


class Dripping:
    """A stream that gives odd pieces, as a pipe does."""

    def __init__(self, raw: bytes, step: int) -> None:
        self._stream, self._step = io.BytesIO(raw), step

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, self._step))
