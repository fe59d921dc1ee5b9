"""What a writer wrote, for whoever wants to know what the layer lists: it is not read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.layer.contents import Contents
from pytest_images.layer.member import XATTR, Kind, Member

if TYPE_CHECKING:
    from pytest_images.layer.writer import Entry

MOST = 1 << 15  # members that are noted: 10 MB

# Of a plain file its name, mode, owner, group, time and size, which Python's collector need not
# look at again and again; of all else the entry; and where the content starts.
Noted = tuple[bytes, int, int, int, int, int, int] | tuple["Entry", int]


def contents_of(noted: list[Noted], source: str) -> Contents:
    """List what was *noted* as a reader of the layer would. Raises LimitExceeded."""
    contents = Contents(source)
    for each in noted:
        contents.add(_member(*each) if len(each) == 2 else _plain(*each))
    return contents


def _plain(  # noqa: PLR0917 - in the order of `LayerWriter.add_plain`
    name: bytes, mode: int, uid: int, gid: int, mtime: int, size: int, offset: int
) -> Member:
    member = Member(name, Kind.FILE, size, mode, uid, gid, mtime, b"", b"", b"", (0, 0))
    member.offset = offset
    return member


def _member(entry: Entry, offset: int) -> Member:
    member = Member(
        entry.name,
        entry.kind,
        entry.size if entry.kind is Kind.FILE else 0,
        entry.mode,
        entry.uid,
        entry.gid,
        entry.mtime,
        entry.linkname,
        b"",
        b"",
        entry.device,
    )
    member.offset = offset
    member.records = {
        XATTR + key.encode("utf-8", "surrogateescape"): value
        for key, value in sorted(entry.xattrs.items())
    }
    return member
