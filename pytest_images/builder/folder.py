"""A folder of this machine that files are copied from, without what is left out.

Others may change it at any time. A file or folder is opened by its path, and then held against
what was found there first: a link put in its place leads nowhere.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.builder.listing import listed, looked_at, stamp_of
from pytest_images.builder.siblings import TYPE, Item
from pytest_images.dockerfile.ignore import IgnoreRules
from pytest_images.layer.changed import Changed, pread_whole
from pytest_images.layer.member import Kind
from pytest_images.model.digest import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from pytest_images.builder.listing import Listing
    from pytest_images.builder.siblings import Siblings, Stamp
    from pytest_images.dockerfile.ignore import Folder

SMALL = 64 << 10  # bytes of a file that is read at once
KEPT = 16 << 20  # bytes of small files that are kept until they are copied
LINK_LIMIT = 40  # links followed for one path, as in Linux
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # or in its place is a link
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
_WAY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
_IDENTITY = slice(3, 5)  # of a stamp: inode and device


class FolderTree:
    """A folder of this machine, without what *rules* leave out.

    Small files are read once and kept, up to `KEPT` bytes: what is copied is what the key was
    made of.
    """

    has_owners = False

    def __init__(self, root: Path, rules: IgnoreRules | None = None) -> None:
        self.root = Path(os.path.realpath(root))
        self._rules = rules or IgnoreRules()
        self.prefix = folder_prefix(self.root)
        self._promised: dict[tuple[str, Stamp], str] = {}
        self._kept: dict[str, tuple[Stamp, bytes]] = {}
        self._groups: dict[Siblings, list[bytes | None]] = {}
        self._room = KEPT

    def promise(self, item: Item, digest: str) -> None:
        """Hear what a file's content was that its stamp says too little of."""
        self._promised[item.path, item.stamp] = digest

    def promised(self, item: Item) -> str:
        """Return the digest of what is to be read, "" where the stamp is enough."""
        return self._promised.get((item.path, item.stamp), "")

    def find(self, path: str) -> Item | None:
        """As `Tree` says."""
        found = _followed(path, self._lstat)
        if found is None or not found.path:
            return found
        is_out = self._rules.excludes(found.path)
        if is_out and not (found.kind is Kind.DIRECTORY and any(self.siblings(found.path))):
            return None
        return found

    def is_there(self, path: str) -> bool:
        """As `Tree` says."""
        return self._lstat(path) is not None

    def below(self, path: str) -> Iterator[Item]:
        """As `Tree` says. Raises Changed."""
        for group in self.siblings(path):
            yield from group.items()

    def inside(self, path: str) -> Iterator[Item]:
        """As `Tree` says. Raises Changed."""
        for group in self._top_of(path).groups:
            yield from group.items()

    def siblings(self, path: str) -> Iterator[Siblings]:
        """Yield what `below` does, those together that lie side by side. Raises Changed."""
        walk = [self._top_of(path)]
        waiting: list[Siblings | None] = [None]  # of each: its folder, left out so far
        while walk:
            listing = walk[-1]
            group = next(listing.groups, None)
            if group is None:
                walk.pop()
                waiting.pop()
                continue
            is_out = group.names[-1] in listing.out
            if not is_out:
                yield from filter(None, waiting)  # something in them is not
                waiting = [None] * len(walk)
                yield group
            if stat.S_ISDIR(group.stamps[-1][-1]):
                rules = listing.rules.folder(group.names[-1])
                walk.append(self._listed(group.last, group.stamps[-1], rules))
                waiting.append(group if is_out else None)

    def read(self, item: Item) -> bytes | None:
        """As `Tree` says."""
        if item.size > SMALL:
            return None
        content = self.content(item.path, item.stamp)
        if item.path not in self._kept and len(content) <= self._room:
            self._room -= len(content)
            self._kept[item.path] = item.stamp, content
        return content

    def contents(self, group: Siblings, *, keeps: bool = False) -> list[bytes | None]:
        """As `Tree` says. Raises Changed."""
        found = self._groups.pop(group, None)
        if found is not None:
            self._room += _size(found)
            return found
        prefix, content = group.prefix, self.content
        found = [
            content(prefix + name, stamp)
            if stamp[-1] & TYPE == stat.S_IFREG and stamp[0] <= SMALL
            else None
            for name, stamp in zip(group.names, group.stamps, strict=True)
        ]
        if keeps and (size := _size(found)) <= self._room:
            self._room -= size
            self._groups[group] = found
        return found

    def content(self, path: str, stamp: Stamp) -> bytes:
        """Return what is in a small file, the same at the end as it was listed, and as promised.

        Raises Changed.
        """
        kept = self._kept.get(path)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        size = stamp[0]
        descriptor = self._opened(path, _FILE)
        try:
            content = os.pread(descriptor, size + 1, 0)
            if len(content) < size:
                content = pread_whole(descriptor, size + 1)
            if len(content) != size or stamp_of(os.fstat(descriptor)) != stamp:
                raise Changed(path)
        except OSError as error:  # it is a folder now, or a pipe
            raise Changed(path, error.strerror or str(error)) from error
        finally:
            os.close(descriptor)
        promised = self._promised and self._promised.get((path, stamp))
        if promised and sha256(content).hexdigest() != promised:
            raise Changed(path)
        return content

    def open(self, item: Item) -> BinaryIO:
        """As `Tree` says."""
        descriptor = self._opened(item.path, _FILE)
        if stamp_of(os.fstat(descriptor)) != item.stamp:  # perhaps not even the same file
            os.close(descriptor)
            raise Changed(item.path)
        return os.fdopen(descriptor, "rb", buffering=0)

    def _top_of(self, path: str) -> Listing:
        """List the folder *path*, as it is now."""
        rules = self._rules.top
        for name in filter(None, path.split("/")):
            rules = rules.folder(name)
        top = self._lstat(path) if path else self._top()
        if top is None:
            raise Changed(path)
        return self._listed(path, top.stamp, rules)

    def _listed(self, path: str, stamp: Stamp, rules: Folder) -> Listing:
        """List the folder that was at *path* when it was found, whatever has its name by now."""
        descriptor = self._opened(path, _FOLDER)
        try:
            if stamp_of(os.fstat(descriptor))[_IDENTITY] != stamp[_IDENTITY]:
                raise Changed(path)
            return listed(descriptor, path, rules)
        except FileNotFoundError as error:
            raise Changed(path) from error
        finally:
            os.close(descriptor)

    def _opened(self, path: str, flags: int) -> int:
        try:
            return os.open(self.prefix + path, flags)
        except OSError as error:
            if error.errno in _GONE:
                raise Changed(path) from error
            raise Changed(path, error.strerror or str(error)) from error

    def _top(self) -> Item:
        return Item("", Kind.DIRECTORY, 0o755, stamp=stamp_of(self.root.stat()))

    def _lstat(self, path: str) -> Item | None:
        """Look at *path* without following any link. Raises Changed."""
        above, _, name = path.rpartition("/")
        try:
            folder = os.open(self.root, _WAY)
            try:
                for part in filter(None, above.split("/")):
                    inner = os.open(part, _WAY, dir_fd=folder)
                    os.close(folder)
                    folder = inner
                return looked_at(folder, above, name)
            finally:
                os.close(folder)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:  # nobody may look there, or no name is that long
            raise Changed(path, error.strerror or str(error)) from error


def _size(contents: Iterable[bytes | None]) -> int:
    return sum(map(len, filter(None, contents)))


def folder_prefix(folder: Path) -> str:
    """Return what stands before the paths of a folder's files."""
    return str(folder / "_").removesuffix("_")


def _followed(path: str, lstat: Callable[[str], Item | None]) -> Item | None:
    """Resolve *path* as if its tree were the whole file system: no link leads out."""
    pending, done, links = [part for part in path.split("/") if part], "", 0
    pending.reverse()
    found: Item | None = Item("", Kind.DIRECTORY, 0o755)
    while pending:
        part = pending.pop()
        if part in (".", ".."):
            done = done if part == "." else posixpath.dirname(done)
            found = lstat(done) if done else Item("", Kind.DIRECTORY, 0o755)
            continue
        here = f"{done}/{part}" if done else part
        found = lstat(here)
        if found is None:
            return None
        if found.kind is Kind.SYMLINK:
            links += 1
            if links > LINK_LIMIT:
                return None
            pending += [piece for piece in reversed(found.target.split("/")) if piece]
            done = "" if found.target.startswith("/") else done
            found = lstat(done) if done else Item("", Kind.DIRECTORY, 0o755)
            continue
        done = here
    return found
