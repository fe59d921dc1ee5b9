"""One 512-byte tar header: its checksum, its fields, its numbers (POSIX ustar, GNU tar).

A header is read as GNU tar reads it or refused; where known readers differ, it is refused.
Reasons are raised as `Malformed`; the reader adds where that was.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from zlib import adler32

BLOCK = 512
SIZE_LIMIT = (1 << 63) - 1  # bytes; the largest offset a file system knows

unpack = struct.Struct("100s8s8s8s12s12s8s1s100s6s2s32s32s8s8s155s12x").unpack
"""Split a header: name mode uid gid size mtime checksum type linkname magic version user
group major minor prefix."""

_SPACES = 8 * ord(" ")  # the checksum field counts as spaces in its own sum


class Malformed(ValueError):
    """Why a header cannot be read; becomes an error of the tree that names the member."""


def verify(block: bytes, field: bytes) -> None:
    """Refuse a header whose *field* is not the sum of its bytes, signed or unsigned.

    Adler's low half is that sum modulo 65521 plus one, at a tenth of the cost; it is the
    sum itself when no byte exceeds 127, for then the sum stays below the modulus.
    """
    if block.isascii():
        if adler32(block) & 0xFFFF == _adler_of(field):
            return
    else:
        stated = number(field)
        total = sum(block) - sum(field) + _SPACES
        beyond = sum(1 for byte in block if byte > 127)  # each counts 256 less when signed
        if stated in (total, total - 256 * beyond):
            return
    raise Malformed("its header's checksum is wrong")


@lru_cache(maxsize=8192)
def _adler_of(field: bytes) -> int:
    """Return Adler's low half of an ASCII block whose checksum *field* is right."""
    return number(field) + (adler32(field) & 0xFFFF) - _SPACES


def number(field: bytes) -> int:
    """Read a numeric *field*: octal ended by NUL or space, or base-256 (GNU)."""
    digits = field[:-1]
    if field[-1] == 0 and digits.isdigit():  # as nearly every writer leaves it
        return _octal(digits)
    if field[0] in (0x80, 0xFF):
        return _base256(field)
    digits = field.lstrip(b" ")
    for end in (b"\0", b" "):
        head, mark, tail = digits.partition(end)
        if mark and tail.strip(b"\0 "):
            raise Malformed(f"{field!r} is not a number")
        digits = head
    if not digits:
        return _blank(field)
    if not digits.isdigit():
        raise Malformed(f"{field!r} is not a number")
    return _octal(digits)


def _octal(digits: bytes) -> int:
    try:
        return int(digits, 8)
    except ValueError:
        raise Malformed(f"{digits!r} is not an octal number") from None


def _blank(field: bytes) -> int:
    """Read a field without digits: NUL at its start means 0, as old writers leave it."""
    if field.startswith(b" ") and b"\0" not in field:
        raise Malformed("a numeric field is blank")
    return 0


def _base256(field: bytes) -> int:
    value = int.from_bytes(field[1:], "big")
    return value if field[0] == 0x80 else value - (1 << 8 * (len(field) - 1))


def size_of(field: bytes) -> int:
    """Read a size in bytes; negative and absurd ones are refused before anyone counts."""
    size = number(field)
    if not 0 <= size <= SIZE_LIMIT:
        raise Malformed(f"its size {size} is not a byte count")
    return size


@lru_cache(maxsize=1024)
def mode_of(field: bytes) -> int:
    """Read permission bits; what else a writer put there is dropped."""
    return number(field) & 0o7777


@lru_cache(maxsize=1024)
def owner_of(field: bytes) -> int:
    """Read a user or group ID: 0 to 2^32 - 2, never wrapped."""
    return checked_owner(number(field))


def checked_owner(owner: int) -> int:
    """Return a user or group ID that the kernel can hold."""
    if not 0 <= owner < (1 << 32) - 1:
        raise Malformed(f"its owner {owner} is not a user or group ID")
    return owner


def text_of(field: bytes) -> bytes:
    """Return a text field up to its first NUL."""
    return field.partition(b"\0")[0]


user_of = lru_cache(maxsize=1024)(text_of)
"""Read the name of a user or group: few are in an archive."""
