"""Pax extended headers: lines of ``length key=value`` (POSIX.1-2001, pax interchange format)."""

from __future__ import annotations

from pytest_images.layer.header import SIZE_LIMIT, Malformed

PAX_LIMIT = 1 << 20  # bytes of one extended header, and of one GNU long name
_LENGTH_DIGITS = 7

# What decides which members there are and where they end. In a global header GNU tar applies
# these and Docker does not, so such an archive has two meanings.
_FRAMING = (b"path", b"linkpath", b"size", b"hdrcharset")
_MUST_SAY_SOMETHING = (b"path", b"linkpath", b"size")
_SPARSE = b"GNU.sparse."
_REPEATED = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")

Records = dict[bytes, bytes]


def parse(raw: bytes) -> Records:
    """Read the records of one header; of a key that occurs twice the last one counts.

    GNU.sparse.offset and .numbytes repeat by design (format 0.0): their values are joined
    with commas into a ``GNU.sparse.map``, as format 0.1 writes it. Raises Malformed.
    """
    records: Records = {}
    pieces: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(raw):
        if raw[at] == 0 and not raw[at:].strip(b"\0"):
            break
        key, value, at = _record(raw, at)
        if key in _REPEATED:
            pieces.append((key, value))
        elif not value and key in _MUST_SAY_SOMETHING:
            raise Malformed(f"its pax record {key.decode()} is empty")
        else:
            records[key] = value
    if pieces:
        records[b"GNU.sparse.map"] = _joined(pieces)
    return records


def refuse_framing(records: Records) -> None:
    """Refuse a global header that renames, resizes or re-maps every member after it."""
    for key in records:
        if key in _FRAMING or key.startswith(_SPARSE):
            raise Malformed(f"a global pax header sets {key.decode(errors='replace')}")


def decimal(text: bytes, what: str) -> int:
    """Read a non-negative decimal number of a record, up to 2^63 - 1."""
    if not text.isdigit() or len(text) > 20 or int(text) > SIZE_LIMIT:
        raise Malformed(f"its pax {what} is not a byte count")
    return int(text)


def seconds(text: bytes) -> float:
    """Read a time of a record: seconds with a fraction, also before 1970."""
    digits = text.removeprefix(b"-").replace(b".", b"", 1)
    if not digits.isdigit() or len(text) > 40:
        raise Malformed("its pax mtime is not a time")
    return float(text)


def _record(raw: bytes, at: int) -> tuple[bytes, bytes, int]:
    """Return key, value and the end of the record that starts *at*."""
    space = raw.find(b" ", at, at + _LENGTH_DIGITS + 1)
    length = raw[at:space]
    if space < 0 or not length.isdigit():
        raise Malformed("a pax record has no length")
    end = at + int(length)
    if end > len(raw) or end <= space + 2 or raw[end - 1] != ord("\n"):
        raise Malformed("a pax record has a wrong length")
    key, equals, value = raw[space + 1 : end - 1].partition(b"=")
    if not key or not equals:
        raise Malformed("a pax record has no key or no value")
    if key in (b"path", b"linkpath", b"GNU.sparse.name") and b"\0" in value:
        raise Malformed("a name in a pax record has a NUL")
    return key, value, end


def _joined(pieces: list[tuple[bytes, bytes]]) -> bytes:
    keys = tuple(key for key, _ in pieces)
    if keys != _REPEATED * (len(pieces) // 2):
        raise Malformed("its sparse map is not pairs of offset and numbytes")
    return b",".join(value for _, value in pieces)
