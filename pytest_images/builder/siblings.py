"""Files side by side in one folder: what is asked of ten thousand files is asked of these.

A folder's files are held by what the file system says of them, in plain columns; an `Item` is
made of one when it is copied. Two texts stand for them: what was seen of them, which says
whether any of them changed, and (in `copying`) the digest of what they are.
"""

from __future__ import annotations

import stat
import struct
from functools import cached_property, partial
from itertools import starmap
from typing import TYPE_CHECKING

from pytest_images.layer.member import Kind
from pytest_images.model.digest import sha256
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

COUNT = 128  # files that are looked at together, and read again when one of them changed
KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFIFO: Kind.FIFO,
    stat.S_IFCHR: Kind.CHARACTER,
    stat.S_IFBLK: Kind.BLOCK,
}
_FORMATS = {kind: form for form, kind in KINDS.items()}
Stamp = tuple[int, ...]  # size, times of change in ns (content, anything), inode, device, mode
_NS = 10**9
_PACK = struct.Struct("=QqqQQI").pack  # a stamp, in a third of the time that its text takes
TYPE, MODE = 0o170000, 0o7777  # of what a stamp says of the mode


class Item(NamedTuple):
    """One file of a tree; *path* leads to it there, "" to the top.

    *stamp* is what a folder of this machine says beside: it stands for the content as long as
    it stays the same. *content* stands for it for ever: in a layer nothing changes.
    """

    path: str
    kind: Kind
    mode: int
    size: int = 0
    mtime: int = 0
    uid: int = 0
    gid: int = 0
    target: str = ""
    xattrs: Mapping[str, bytes] | None = None
    stamp: Stamp = ()
    content: str = ""


class Siblings:
    """At most `COUNT` files of *folder*, in order; a folder among them is the last.

    What is in that folder comes next. *stamps* are those of a folder of this machine, in the
    order of *names*; *targets* are where the links lead. Of another tree there are *made* items.
    """

    def __init__(
        self,
        folder: str,
        names: Sequence[str],
        stamps: Sequence[Stamp],
        targets: Mapping[str, str],
        made: Sequence[Item] = (),
    ) -> None:
        self.folder, self.names, self.stamps = folder, names, stamps
        self.targets, self.made = targets, made

    @property
    def last(self) -> str:
        """The path of the last."""
        return f"{self.folder}/{self.names[-1]}" if self.folder else self.names[-1]

    @cached_property
    def seen(self) -> str:
        """A text that is another one after any of the files changed; "": nothing would show it.

        The last one's times do not count where it is a folder: they say what is in it, which is
        looked at by itself.
        """
        if self.stamps:
            return sha256(_text(self.names) + _packed(self._lasting)).hexdigest()
        if any(item.content for item in self.made):
            return _hashed(self.shape, [item[3:] for item in self.made])
        return ""

    @property
    def changed(self) -> int:
        """When the last of the files changed, in ns since 1970; 0: they cannot change."""
        return max((stamp[2] for stamp in self._lasting), default=0)

    @property
    def _lasting(self) -> Sequence[Stamp]:
        if self.stamps and stat.S_ISDIR(self.stamps[-1][-1]):
            return [*self.stamps[:-1], (0, 0, 0, 0, 0, self.stamps[-1][-1])]
        return self.stamps

    @property
    def prefix(self) -> str:
        """What stands before the names in paths."""
        return f"{self.folder}/" if self.folder else ""

    @cached_property
    def shape(self) -> str:
        """A digest of names, modes, links and attributes: of all but times and contents."""
        if not self.made:
            modes = [stamp[-1] for stamp in self.stamps]
            targets = [self.targets[name] for name in self.names if name in self.targets]
            return _hashed(self.names, modes, targets, [])
        modes = [_FORMATS.get(item.kind, 0) | item.mode for item in self.made]
        targets = [item.target for item in self.made if item.kind is Kind.SYMLINK]
        xattrs = [(n, sorted(x.items())) for n, x in enumerate(i.xattrs for i in self.made) if x]
        return _hashed(self.names, modes, targets, xattrs)

    @property
    def modes_and_times(self) -> Sequence[tuple[int, int]]:
        """The modes, and the times in seconds since 1970."""
        if not self.made:
            return [(stamp[-1] & MODE, stamp[1] // _NS) for stamp in self.stamps]
        return [(item.mode, item.mtime) for item in self.made]

    @property
    def owners(self) -> Sequence[tuple[int, int]]:
        """The users and groups that own them."""
        return [(item.uid, item.gid) for item in self.items()]

    @property
    def sizes(self) -> Sequence[int]:
        """The sizes of the plain files, in bytes."""
        if not self.made:
            return [stamp[0] for stamp in self.stamps if stamp[-1] & TYPE == stat.S_IFREG]
        return [item.size for item in self.made if item.kind is Kind.FILE]

    def item(self, at: int) -> Item:
        """Return one of the items."""
        if self.made:
            return self.made[at]
        return _item(self.prefix, self.targets, self.names[at], self.stamps[at])

    def items(self) -> Iterable[Item]:
        """Return the items."""
        return self.made or map(partial(_item, self.prefix, self.targets), self.names, self.stamps)


def _packed(stamps: Sequence[Stamp]) -> bytes:
    try:
        return b"".join(starmap(_PACK, stamps))
    except struct.error:  # a time after 2262
        return repr(stamps).encode()


def _text(facts: object) -> bytes:
    return repr(facts).encode("utf-8", "surrogateescape")


def _hashed(*facts: object) -> str:
    return sha256(_text(facts)).hexdigest()


def _item(prefix: str, targets: Mapping[str, str], name: str, stamp: Stamp) -> Item:
    size, mtime, _, _, _, mode = stamp
    if mode & TYPE == stat.S_IFREG:
        return Item(
            prefix + name, Kind.FILE, mode & MODE, size, mtime // _NS, 0, 0, "", None, stamp
        )
    kind = KINDS[mode & TYPE]
    target = targets.get(name, "") if kind is Kind.SYMLINK else ""
    return Item(prefix + name, kind, mode & MODE, 0, mtime // _NS, 0, 0, target, None, stamp)


def grouped(items: Iterable[Item]) -> Iterator[Siblings]:
    """Put together what lies side by side in *items*, which are in the order of a walk."""
    group: list[Item] = []
    folder = ""
    for item in items:
        above = item.path.rpartition("/")[0]
        ended = group and group[-1].kind is Kind.DIRECTORY
        if ended or above != folder or len(group) == COUNT:
            if group:
                yield _made(folder, group)
            group, folder = [], above
        group.append(item)
    if group:
        yield _made(folder, group)


def _made(folder: str, items: Sequence[Item]) -> Siblings:
    stamps = [item.stamp for item in items]
    names = [item.path.rpartition("/")[2] for item in items]
    return Siblings(folder, names, stamps if all(stamps) else (), {}, items)
