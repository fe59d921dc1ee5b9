"""One member of a tar stream: what its header says, and its data."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


XATTR = b"SCHILY.xattr."  # before an extended attribute's name, as the key of its record


class Kind(enum.Enum):
    """What a member is."""

    FILE = "file"
    HARDLINK = "hardlink"
    SYMLINK = "symlink"
    CHARACTER = "character device"
    BLOCK = "block device"
    DIRECTORY = "directory"
    FIFO = "fifo"


class Member:
    """One member; names are bytes, exactly as they shall stand on disk.

    ``size`` is the content's length in bytes, holes included; ``stored`` is what of it lies
    in the stream, at ``offset``. ``mtime`` is in seconds. ``records`` are the pax records in
    force (``SCHILY.xattr.user.x`` and the like). The data can be read until the next member
    is asked for.
    """

    __slots__ = (
        "_read",
        "device",
        "gid",
        "group",
        "kind",
        "linkname",
        "mode",
        "mtime",
        "name",
        "offset",
        "records",
        "size",
        "stored",
        "uid",
        "user",
    )

    def __init__(  # noqa: PLR0917 - made for each of a million members: positions are cheapest
        self,
        name: bytes,
        kind: Kind,
        size: int,
        mode: int,
        uid: int,
        gid: int,
        mtime: float,
        linkname: bytes,
        user: bytes,
        group: bytes,
        device: tuple[int, int],
    ) -> None:
        self.name, self.kind, self.size, self.stored = name, kind, size, size
        self.mode, self.uid, self.gid, self.mtime = mode, uid, gid, mtime
        self.linkname, self.user, self.group, self.device = linkname, user, group, device
        self.offset = 0
        self.records: Mapping[bytes, bytes] = {}
        self._read: Callable[[int], bytes] | None = None

    def read(self, size: int = 1 << 18) -> bytes:
        """Return at most *size* bytes of content, holes as zeros; ``b""`` at its end."""
        return self._read(size) if self._read is not None else b""

    @property
    def text(self) -> str:
        """The name for people; what is not UTF-8 is escaped by whoever shows it."""
        return readable(self.name)

    def __repr__(self) -> str:
        return f"<Member {self.kind.value} {self.text!r} of {self.size} bytes>"


def readable(name: bytes) -> str:
    """Return a *name* from an archive as text that loses nothing."""
    return name.decode("utf-8", "surrogateescape")
