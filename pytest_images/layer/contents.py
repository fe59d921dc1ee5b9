"""What one layer lists, packed: a million members must fit into memory.

Names lie in one text, facts in columns; a member is known by its place in the layer. Nothing
is merged here and no link is followed: that is `tree`.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from pytest_images.errors import LimitExceeded, shown
from pytest_images.layer import paths, sparse
from pytest_images.layer.member import XATTR, Kind, Member

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES_LIMIT = 256 << 20  # bytes of all names and link targets of one layer
XATTR_LIMIT = 64 << 10  # bytes of the extended attributes of one member
XATTRS_LIMIT = 16 << 20  # bytes of those of one layer
OPAQUE = paths.WHITEOUT + b".wh..opq"
AUFS = paths.WHITEOUT + paths.WHITEOUT  # what AUFS kept for itself at the root of a layer
_KINDS = tuple(Kind)
_CODES = {kind: code for code, kind in enumerate(_KINDS)}
_NUL = b"\0"


class Contents:
    """The members of one layer in their order; filled by `add`, member after member.

    ``offsets`` are where their content starts in the uncompressed tar, in bytes.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.names = bytearray(_NUL)  # a NUL before and after each
        self.kinds = bytearray()
        self.modes, self.uids, self.gids = array("H"), array("I"), array("I")
        self.sizes, self.offsets, self.mtimes = array("Q"), array("Q"), array("d")
        self.links: dict[int, bytes] = {}
        self.devices: dict[int, tuple[int, int]] = {}
        self.xattrs: dict[int, dict[str, bytes]] = {}
        self.whiteouts: list[bytes] = []
        self.sparse: set[int] = set()
        self._links_size = self._xattrs_size = 0

    def __len__(self) -> int:
        return len(self.kinds)

    def add(self, member: Member) -> None:
        """Take in the next member. Raises LimitExceeded, Malformed."""
        name = plain(member.name)
        index = len(self.kinds)
        self.names += name
        self.names += _NUL
        self.kinds.append(_CODES[member.kind])
        self.modes.append(member.mode)
        self.uids.append(member.uid)
        self.gids.append(member.gid)
        self.sizes.append(member.size)
        self.offsets.append(member.offset)
        self.mtimes.append(member.mtime)
        if member.linkname:
            self.links[index] = member.linkname
            self._links_size += len(member.linkname)
        if member.device != (0, 0):
            self.devices[index] = member.device
        if paths.WHITEOUT in name and is_whiteout(name):
            self.whiteouts.append(name)
        if member.records:
            self._extend(index, member)
        if len(self.names) + self._links_size > NAMES_LIMIT:
            raise LimitExceeded(self.source, "length in bytes of all its names", NAMES_LIMIT)

    def _extend(self, index: int, member: Member) -> None:
        """Keep what a pax header says beyond the plain facts."""
        if sparse.is_sparse(member.records):
            self.sparse.add(index)
        found = {
            key.removeprefix(XATTR).decode("utf-8", "surrogateescape"): value
            for key, value in member.records.items()
            if key.startswith(XATTR)
        }
        size = sum(len(key) + len(value) for key, value in found.items())
        self._xattrs_size += size
        if size > XATTR_LIMIT or self._xattrs_size > XATTRS_LIMIT:
            what = f"size in bytes of extended attributes, with {shown(member.text)}"
            raise LimitExceeded(self.source, what, min(XATTR_LIMIT, XATTRS_LIMIT))
        if found:
            self.xattrs[index] = found

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Give the place and the name of each member; the root's name is empty."""
        start, names = 1, self.names
        for index in range(len(self.kinds)):
            end = names.index(0, start)
            yield index, bytes(names[start:end])
            start = end + 1

    def kind(self, index: int) -> Kind:
        """Return what a member is."""
        return _KINDS[self.kinds[index]]

    def find(self, name: bytes) -> int | None:
        """Return the place of the last member of that name."""
        at = self.names.rfind(_NUL + name + _NUL)
        return None if at < 0 else self.names.count(0, 0, at)

    def has_below(self, name: bytes) -> bool:
        """Whether a member lies in the directory *name*, listed itself or not."""
        return (_NUL + name + b"/") in self.names

    @property
    def has_aufs(self) -> bool:
        """Whether AUFS left its own files in the layer."""
        return (_NUL + AUFS) in self.names


def plain(name: bytes) -> bytes:
    """Return a member's name as a path from the root, without ``.``, ``..`` and more slashes.

    >>> plain(b"./usr//lib/../bin/")
    b'usr/bin'
    """
    if name.startswith(b"./"):
        name = name[2:]
    if name.endswith(b"/"):
        name = name[:-1]
    if b"/." in name or b"//" in name or name[:1] in (b".", b"/") or name[-1:] == b"/":
        return b"/".join(paths.inside(name))
    return name


def is_whiteout(name: bytes) -> bool:
    """Whether a member of this name takes something away instead of adding it."""
    return name.rpartition(b"/")[2].startswith(paths.WHITEOUT)
