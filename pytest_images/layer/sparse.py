"""Files with holes: the old GNU format and pax formats 0.0, 0.1 and 1.0 (GNU tar manual, D.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.layer.header import BLOCK, Malformed, size_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAP_LIMIT = 1 << 20  # bytes of a map, in whichever form it comes
_ZEROS = bytes(1 << 18)

Extent = tuple[int, int]  # where in the file, how many bytes


def old_extents(header: bytes, next_block: Callable[[], bytes]) -> tuple[list[Extent], int, int]:
    """Read the map of an old GNU sparse *header*.

    Returns the extents, the file's size and how many extension blocks were read.
    """
    extents = _entries(header, 386, 4)
    more, blocks = header[482] != 0, 0
    while more:
        blocks += 1
        if blocks * BLOCK > MAP_LIMIT:
            raise Malformed("its sparse map is too long")
        block = next_block()
        extents += _entries(block, 0, 21)
        more = block[504] != 0
    return extents, size_of(header[483:495]), blocks


def _entries(block: bytes, at: int, count: int) -> list[Extent]:
    entries = []
    for start in range(at, at + 24 * count, 24):
        offset, length = block[start : start + 12], block[start + 12 : start + 24]
        if not text_of(length):  # a NUL ends the list, as GNU tar leaves it
            break
        entries.append((size_of(offset), size_of(length)))
    return entries


def is_sparse(records: Mapping[bytes, bytes]) -> bool:
    """Whether pax *records* describe a file with holes."""
    return any(key.startswith(b"GNU.sparse.") for key in records)


def listed_extents(text: bytes) -> list[Extent]:
    """Read a map of format 0.x: ``offset,length,offset,length``."""
    return _pairs(text.split(b",") if text else [])


def leading_extents(read_block: Callable[[], bytes]) -> tuple[list[Extent], int]:
    """Read a map of format 1.0 from the first blocks of the data: one number a line.

    Returns the extents and how many blocks they took.
    """
    text, blocks = b"", 0
    wanted = None
    while wanted is None or text.count(b"\n") < wanted:
        if blocks * BLOCK >= MAP_LIMIT:
            raise Malformed("its sparse map is too long")
        text += read_block()
        blocks += 1
        if wanted is None and b"\n" in text:
            wanted = 1 + 2 * _natural(text.partition(b"\n")[0])
            if wanted > MAP_LIMIT:
                raise Malformed("its sparse map is too long")
    return _pairs(text.split(b"\n")[1:wanted]), blocks


def _pairs(numbers: Sequence[bytes]) -> list[Extent]:
    values = [_natural(text) for text in numbers]
    if len(values) % 2:
        raise Malformed("its sparse map has an odd number of entries")
    return list(zip(values[::2], values[1::2], strict=True))


def _natural(text: bytes) -> int:
    if not text.isdigit() or len(text) > 19:
        raise Malformed("its sparse map holds something that is not a number")
    return int(text)


def check(extents: Sequence[Extent], size: int, stored: int) -> None:
    """Refuse a map that goes backwards, overlaps, leaves the file or miscounts its data."""
    end = 0
    for offset, length in extents:
        if offset < end:
            raise Malformed("its sparse map overlaps or goes backwards")
        end = offset + length
    if end > size:
        raise Malformed("its sparse map leaves the file")
    if sum(length for _, length in extents) != stored:
        raise Malformed("its sparse map does not add up to the data stored")


def expanded(
    extents: Sequence[Extent], size: int, read: Callable[[int], bytes]
) -> Callable[[int], bytes]:
    """Return a function that reads the file as it is, holes as zeros; *read* gives the data."""
    remaining = iter([*extents, (size, 0)])
    start, length = next(remaining)
    at = 0

    def read_expanded(wanted: int) -> bytes:
        nonlocal at, start, length
        while at >= start + length and at < size:
            start, length = next(remaining)
        if at < start:
            piece = _ZEROS[: min(wanted, start - at)]
        else:
            piece = read(min(wanted, start + length - at))
        at += len(piece)
        return piece

    return read_expanded
