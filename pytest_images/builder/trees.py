"""Where COPY takes files from: a folder of this machine, names in memory, an image or stage.

A tree gives its items by path, ``/`` between names and none before; links inside of it are
followed inside of it. What an item is was decided when it was listed: who opens one whose
file has changed since, or changes while it is read, finds out (`layer.writer.Changed`).
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import posixpath
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from pytest_images.dockerfile.ignore import IgnoreRules
from pytest_images.errors import PathError
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Changed, pread_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from pytest_images.dockerfile.ignore import Folder
    from pytest_images.layer.files import Files, ImagePath

_PIECE = 1 << 20
SMALL = 64 << 10  # bytes of a file that is read at once
KEPT = 16 << 20  # bytes of small files that are kept until they are copied
LINK_LIMIT = 40  # links followed for one path, as in Linux
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # or in its place is a link
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
_WAY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
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

    def is_there(self, path: str) -> bool:
        """Say whether something is called *path*: a link too, wherever it leads."""
        ...

    def below(self, path: str) -> Iterator[Item]:
        """Yield all that is below the folder *path*, sorted, folders first; no link followed."""
        ...

    def read(self, item: Item) -> bytes | None:
        """Return the content of a small file; None: it is to be opened. Raises as `open` does."""
        ...

    def open(self, item: Item) -> BinaryIO:
        """Open a file. Raises OSError, Changed, or what reading an image can."""
        ...


class FolderTree:
    """A folder of this machine, without what *rules* leave out.

    Others may change it at any time. A file or folder is opened by its path, and then held
    against what was found there first: a link put in its place leads nowhere. Small files are
    read once and kept, up to `KEPT` bytes: what is copied is what the key was made of.
    """

    has_owners = False

    def __init__(self, root: Path, rules: IgnoreRules | None = None) -> None:
        self.root = Path(os.path.realpath(root))
        self._rules = rules or IgnoreRules()
        self.prefix = folder_prefix(self.root)
        self._promised: dict[tuple[str, tuple[int, ...]], str] = {}
        self._kept: dict[str, tuple[tuple[int, ...], bytes]] = {}
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
        if is_out and not (found.kind is Kind.DIRECTORY and any(self.below(found.path))):
            return None
        return found

    def is_there(self, path: str) -> bool:
        """As `Tree` says."""
        return self._lstat(path) is not None

    def below(self, path: str) -> Iterator[Item]:
        """As `Tree` says. Raises Changed."""
        folder = self._rules.top
        for name in filter(None, path.split("/")):
            folder = folder.folder(name)
        top = self._lstat(path) if path else self._top()
        if top is None:
            raise Changed(path)
        yield from self._walk(top, folder)

    def read(self, item: Item) -> bytes | None:
        """As `Tree` says."""
        if item.size > SMALL:
            return None
        kept = self._kept.get(item.path)
        if kept is not None and kept[0] == item.stamp:
            return kept[1]
        content = self._content(item)
        if len(content) <= self._room:
            self._room -= len(content)
            self._kept[item.path] = item.stamp, content
        return content

    def _content(self, item: Item) -> bytes:
        """Read a whole file, the same at the end as it was listed, and as was promised of it."""
        descriptor = self._opened(item, _FILE)
        try:
            content = pread_whole(descriptor, item.size + 1)
            if len(content) != item.size or _stamp(os.fstat(descriptor)) != item.stamp:
                raise Changed(item.path)
        except OSError as error:  # it is a folder now, or a pipe
            raise Changed(item.path, error.strerror or str(error)) from error
        finally:
            os.close(descriptor)
        promised = self._promised and self.promised(item)
        if promised and hashlib.sha256(content).hexdigest() != promised:
            raise Changed(item.path)
        return content

    def open(self, item: Item) -> BinaryIO:
        """As `Tree` says."""
        descriptor = self._opened(item, _FILE)
        if _stamp(os.fstat(descriptor)) != item.stamp:  # perhaps not even the same file
            os.close(descriptor)
            raise Changed(item.path)
        return os.fdopen(descriptor, "rb", buffering=0)

    def _walk(self, above: Item, folder: Folder) -> Iterator[Item]:
        for item in self._entries(above):
            name = item.path.rpartition("/")[2]
            is_out = folder.excludes(name)
            if item.kind is not Kind.DIRECTORY:
                if not is_out:
                    yield item
                continue
            if is_out and folder.can_skip(name):
                continue
            inside = self._walk(item, folder.folder(name))
            if not is_out:
                yield item
            yield from _after(item, inside) if is_out else inside

    def _entries(self, folder: Item) -> list[Item]:
        """List the folder that *folder* was when it was found, whatever has its name by now."""
        descriptor = self._opened(folder, _FOLDER)
        try:
            if _identity(os.fstat(descriptor)) != folder.stamp[_IDENTITY]:
                raise Changed(folder.path)
            prefix = f"{folder.path}/" if folder.path else ""
            with os.scandir(descriptor) as entries:
                found = [
                    _made(prefix, entry.name, entry.stat(follow_symlinks=False), descriptor)
                    for entry in sorted(entries, key=lambda entry: entry.name)
                ]
        except FileNotFoundError as error:
            raise Changed(folder.path) from error
        finally:
            os.close(descriptor)
        return [item for item in found if item is not None]

    def _opened(self, item: Item, flags: int) -> int:
        try:
            return os.open(self.prefix + item.path, flags)
        except OSError as error:
            if error.errno in _GONE:
                raise Changed(item.path) from error
            raise Changed(item.path, error.strerror or str(error)) from error

    def _top(self) -> Item:
        return Item("", Kind.DIRECTORY, 0o755, stamp=_stamp(self.root.stat()))

    def _lstat(self, path: str) -> Item | None:
        """Look at *path* without following any link."""
        above, _, name = path.rpartition("/")
        try:
            folder = os.open(self.root, _WAY)
            try:
                for part in filter(None, above.split("/")):
                    inner = os.open(part, _WAY, dir_fd=folder)
                    os.close(folder)
                    folder = inner
                info = os.stat(name, dir_fd=folder, follow_symlinks=False)
                return _made(f"{above}/" if above else "", name, info, folder)
            finally:
                os.close(folder)
        except (FileNotFoundError, NotADirectoryError):
            return None


def folder_prefix(folder: Path) -> str:
    """Return what stands before the paths of a folder's files."""
    return str(folder / "_").removesuffix("_")


def _after(folder: Item, inside: Iterator[Item]) -> Iterator[Item]:
    """Yield a folder that is left out only when something in it is not."""
    first = next(inside, None)
    if first is not None:
        yield folder
        yield first
        yield from inside


def _made(prefix: str, name: str, info: os.stat_result, folder: int) -> Item | None:
    """Return the item of a file in *folder*; None for what no layer can hold: a socket."""
    kind = _KINDS.get(stat.S_IFMT(info.st_mode))
    if kind is None:
        return None
    return Item(
        prefix + name,
        kind,
        stat.S_IMODE(info.st_mode),
        info.st_size if kind is Kind.FILE else 0,
        int(info.st_mtime),
        target=_target(name, folder) if kind is Kind.SYMLINK else "",
        stamp=_stamp(info),
    )


def _target(name: str, folder: int) -> str:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as error:  # it was a link a moment ago
        raise Changed(name) from error


def _stamp(info: os.stat_result) -> tuple[int, ...]:
    times = info.st_mtime_ns, info.st_ctime_ns
    return info.st_size, *times, info.st_ino, info.st_dev, info.st_mode


def _identity(info: os.stat_result) -> tuple[int, int]:
    return info.st_ino, info.st_dev


_IDENTITY = slice(3, 5)  # of a stamp


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

    def is_there(self, path: str) -> bool:
        """As `Tree` says."""
        return self.find(path) is not None

    def below(self, path: str) -> Iterator[Item]:
        """As `Tree` says."""
        prefix = path + "/" * bool(path)
        names = {*self._files, *self._folders} - {path}
        for name in sorted((n for n in names if n.startswith(prefix)), key=lambda n: n.split("/")):
            found = self.find(name)
            if found is not None:
                yield found

    def read(self, item: Item) -> bytes:
        """As `Tree` says."""
        return self._files[item.path]

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

    def is_there(self, path: str) -> bool:
        """As `Tree` says."""
        try:
            self._files.joinpath(path).lstat()
        except PathError:
            return False
        return True

    def below(self, path: str) -> Iterator[Item]:
        """As `Tree` says."""
        for place in self._files.joinpath(path).iterdir():
            item = self._item(place)
            if not self._rules.excludes(item.path):
                yield item
            if item.kind is Kind.DIRECTORY:
                yield from self.below(item.path)

    def read(self, item: Item) -> None:
        """As `Tree` says: the layers' files are read as streams."""

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
    """Open a file of *tree* for a block.

    Raises Changed where it is not the same at the end, or not what was promised of it.
    """
    stream = tree.open(item)
    promised = tree.promised(item) if isinstance(tree, FolderTree) else ""
    hashed = _Hashed(stream)
    try:
        yield cast("BinaryIO", hashed) if promised else stream
        if item.stamp and _stamp(os.fstat(stream.fileno())) != item.stamp:
            raise Changed(item.path)
        if promised and hashed.digest() != promised:
            raise Changed(item.path)
    finally:
        stream.close()


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        piece = self._stream.read(size)
        self._hash.update(piece)
        return piece

    def digest(self) -> str:
        """Read the rest; return the digest of all."""
        while self.read(_PIECE):
            pass
        return self._hash.hexdigest()
