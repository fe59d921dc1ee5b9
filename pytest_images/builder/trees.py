"""Where COPY takes files from: a folder of this machine, names in memory, an image or stage.

A tree gives its items by path, ``/`` between names and none before; links inside of it are
followed inside of it. What an item is was decided when it was listed: who opens one whose
file has changed since finds out (`layer.writer.Changed`).
"""

from __future__ import annotations

import io
import os
import posixpath
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pytest_images.dockerfile.ignore import IgnoreRules
from pytest_images.errors import PathError
from pytest_images.layer.member import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from pytest_images.dockerfile.ignore import Folder
    from pytest_images.layer.files import Files, ImagePath

LINK_LIMIT = 40  # links followed for one path, as in Linux
_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFIFO: Kind.FIFO,
    stat.S_IFCHR: Kind.CHARACTER,
    stat.S_IFBLK: Kind.BLOCK,
}


class Item(NamedTuple):
    """One file of a tree; *path* leads to it there, "" to the top.

    *stamp* is what a folder of this machine says beside: it stands for the content as long as
    it stays the same.
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
    stamp: tuple[int, ...] = ()


class Tree(Protocol):
    """Something that files are copied from."""

    @property
    def has_owners(self) -> bool:
        """Whether its owners mean something in an image: not those of this machine."""
        ...

    def find(self, path: str) -> Item | None:
        """Return what is at *path*, links followed inside; None: nothing, or left out."""
        ...

    def below(self, path: str) -> Iterator[Item]:
        """Yield all that is below the folder *path*, sorted, folders first; no link followed."""
        ...

    def open(self, item: Item) -> BinaryIO:
        """Open a file. Raises OSError, or what reading an image can."""
        ...


class FolderTree:
    """A folder of this machine, without what *rules* leave out."""

    has_owners = False

    def __init__(self, root: Path, rules: IgnoreRules | None = None) -> None:
        self.root = Path(os.path.realpath(root))
        self._rules = rules or IgnoreRules()

    def find(self, path: str) -> Item | None:
        """As `Tree` says."""
        found = _followed(path, self._lstat)
        if found is None or not found.path:
            return found
        is_out = self._rules.excludes(found.path)
        if is_out and not (found.kind is Kind.DIRECTORY and any(self.below(found.path))):
            return None
        return found

    def below(self, path: str) -> Iterator[Item]:
        """As `Tree` says."""
        folder = self._rules.top
        for name in filter(None, path.split("/")):
            folder = folder.folder(name)
        yield from self._walk(str(self.root / path), path, folder)

    def open(self, item: Item) -> BinaryIO:
        """As `Tree` says."""
        path = self.root / item.path
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if _stamp(os.fstat(descriptor)) != item.stamp:  # perhaps not even the same file
            os.close(descriptor)
            raise OSError(f"{path} changed while it was copied")
        return os.fdopen(descriptor, "rb", buffering=0)

    def _walk(self, place: str, path: str, folder: Folder) -> Iterator[Item]:
        with os.scandir(place) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            item = _item(f"{path}/{entry.name}" if path else entry.name, entry)
            if item is None:
                continue
            is_out = folder.excludes(entry.name)
            if item.kind is not Kind.DIRECTORY:
                if not is_out:
                    yield item
                continue
            if is_out and folder.can_skip(entry.name):
                continue
            inside = self._walk(entry.path, item.path, folder.folder(entry.name))
            if not is_out:
                yield item
            yield from _after(item, inside) if is_out else inside

    def _lstat(self, path: str) -> Item | None:
        place = self.root / path
        try:
            info = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _made(path, str(place), info)


def _after(folder: Item, inside: Iterator[Item]) -> Iterator[Item]:
    """Yield a folder that is left out only when something in it is not."""
    first = next(inside, None)
    if first is not None:
        yield folder
        yield first
        yield from inside


def _item(path: str, entry: os.DirEntry[str]) -> Item | None:
    return _made(path, entry.path, entry.stat(follow_symlinks=False))


def _made(path: str, place: str, info: os.stat_result) -> Item | None:
    """Return the item of a file; None for what no layer can hold: a socket."""
    kind = _KINDS.get(stat.S_IFMT(info.st_mode))
    if kind is None:
        return None
    return Item(
        path,
        kind,
        stat.S_IMODE(info.st_mode),
        info.st_size if kind is Kind.FILE else 0,
        int(info.st_mtime),
        target=str(Path(place).readlink()) if kind is Kind.SYMLINK else "",
        stamp=_stamp(info),
    )


def _stamp(info: os.stat_result) -> tuple[int, ...]:
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev, info.st_mode


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


class MemoryTree:
    """Files by name, as a test writes them down; folders are there because of what is in them."""

    has_owners = False

    def __init__(self, files: Mapping[str, bytes], rules: IgnoreRules | None = None) -> None:
        rules = rules or IgnoreRules()
        self._files = {
            name: content
            for path, content in files.items()
            if not rules.excludes(name := posixpath.normpath("/" + path).lstrip("/"))
        }
        self._folders = {""}
        for name in self._files:
            while name := posixpath.dirname(name):
                self._folders.add(name)

    def find(self, path: str) -> Item | None:
        """As `Tree` says."""
        name = posixpath.normpath("/" + path).lstrip("/")
        if name in self._files:
            return Item(name, Kind.FILE, 0o644, len(self._files[name]))
        return Item(name, Kind.DIRECTORY, 0o755) if name in self._folders else None

    def below(self, path: str) -> Iterator[Item]:
        """As `Tree` says."""
        prefix = path + "/" * bool(path)
        names = {*self._files, *self._folders} - {path}
        for name in sorted((n for n in names if n.startswith(prefix)), key=lambda n: n.split("/")):
            found = self.find(name)
            if found is not None:
                yield found

    def open(self, item: Item) -> BinaryIO:
        """As `Tree` says."""
        return io.BytesIO(self._files[item.path])


class ImageTree:
    """The files of an image or a stage, or of a tar: read from its layers."""

    def __init__(
        self, files: Files, rules: IgnoreRules | None = None, *, has_owners: bool = True
    ) -> None:
        self._files, self.has_owners = files, has_owners
        self._rules = rules or IgnoreRules()

    def find(self, path: str) -> Item | None:
        """As `Tree` says."""
        try:
            place = self._files.joinpath(path).resolve()
            found = self._item(place)
        except PathError:
            return None
        return None if found.path and self._rules.excludes(found.path) else found

    def below(self, path: str) -> Iterator[Item]:
        """As `Tree` says."""
        for place in self._files.joinpath(path).iterdir():
            item = self._item(place)
            if not self._rules.excludes(item.path):
                yield item
            if item.kind is Kind.DIRECTORY:
                yield from self.below(item.path)

    def open(self, item: Item) -> BinaryIO:
        """As `Tree` says."""
        return self._files.joinpath(item.path).open("rb")

    def _item(self, place: ImagePath) -> Item:
        info = place.lstat()
        kind = Kind(info.kind)
        return Item(
            "/".join(place.parts),
            kind,
            info.mode,
            info.size if kind is Kind.FILE else 0,
            int(info.mtime),
            info.uid,
            info.gid,
            info.target if kind is Kind.SYMLINK else "",
            info.xattrs,
        )


@contextmanager
def opened(tree: Tree, item: Item) -> Iterator[BinaryIO]:
    """Open a file of *tree* for a block."""
    stream = tree.open(item)
    try:
        yield stream
    finally:
        stream.close()
