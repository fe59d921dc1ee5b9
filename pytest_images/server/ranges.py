"""Byte ranges: what a reader asks for (RFC 9110, 14), and where a chunk of an upload belongs."""

from __future__ import annotations

from pytest_images.regex import regex
from pytest_images.server.refusal import Refusal

_RANGE = regex(r"bytes=([0-9]{0,19})-([0-9]{0,19})")
_CHUNK = regex(r"(?:bytes )?([0-9]{1,18})-([0-9]{1,18})(?:/(?:\*|[0-9]{1,18}))?")


def asked(header: str | None, size: int) -> tuple[int, int] | None:
    """Return (offset, count) of the one range in *header*, or None: send the whole.

    Several ranges, other units and malformed text give the whole, as RFC 9110 allows: no
    header makes us do more work than one plain request. Raises Refusal 416 for a range that
    begins beyond *size* bytes.
    """
    match = _RANGE.fullmatch(header) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        count = min(int(match[2]), size)
        first, last = size - count, size - 1
    else:
        first = int(match[1])
        last = min(int(match[2]), size - 1) if match[2] else size - 1
        if match[2] and int(match[2]) < first:
            return None
    if first >= size or first > last:
        raise Refusal(
            416,
            "SIZE_INVALID",
            "the range is not within the content",
            headers=[("Content-Range", f"bytes */{size}")],
        )
    return first, last - first + 1


def chunk(header: str, length: int | None) -> int | None:
    """Return the offset at which a chunk begins; None when the header makes no sense.

    *length* is the body's in bytes, None when it comes in chunks of its own.
    """
    match = _CHUNK.fullmatch(header)
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    if length == 0 and first == last:
        return first  # an empty chunk cannot be written in this form; clients send 0-0
    if last < first or (length is not None and last - first + 1 != length):
        return None
    return first


def received(offset: int) -> str:
    """Return the Range header of an upload that has *offset* bytes.

    Nothing yet is ``0-0`` too: the form has no other text for it, and registries agree.
    """
    return f"0-{max(0, offset - 1)}"
