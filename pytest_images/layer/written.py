"""What a writer wrote, for whoever wants to know what the layer lists: it is not read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.layer.contents import Contents
from pytest_images.layer.member import Kind, Member

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 1 << 15  # members that are noted: 10 MB

Noted = tuple[
    bytes, Kind, int, int, int, int, int, bytes, tuple[int, int], "Mapping[str, bytes]", int
]


def contents_of(noted: list[Noted], source: str) -> Contents:
    """List what was *noted* as a reader of the layer would. Raises LimitExceeded."""
    contents = Contents(source)
    for each in noted:
        contents.add(_member(*each))
    return contents


def _member(  # noqa: PLR0917 - the fields of an entry, and where its content starts
    name: bytes,
    kind: Kind,
    mode: int,
    uid: int,
    gid: int,
    mtime: int,
    size: int,
    link: bytes,
    device: tuple[int, int],
    xattrs: Mapping[str, bytes],
    offset: int,
) -> Member:
    stored = size if kind is Kind.FILE else 0
    member = Member(name, kind, stored, mode, uid, gid, mtime, link, b"", b"", device)
    member.offset = offset
    member.records = {
        b"SCHILY.xattr." + key.encode("utf-8", "surrogateescape"): value
        for key, value in sorted(xattrs.items())
    }
    return member
