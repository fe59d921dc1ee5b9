"""Where COPY takes files from: a folder of this machine, names in memory, an image or stage.

A tree gives its items by path, ``/`` between names and none before; links inside of it are
followed inside of it. What an item is was decided when it was listed: who opens one whose
file has changed since, or changes while it is read, finds out (`layer.changed.Changed`).
"""

from __future__ import annotations

import io
import os
import posixpath
from contextlib import contextmanager
from itertools import compress
from typing import TYPE_CHECKING, Protocol, cast

from pytest_images.builder.folder import SMALL, FolderTree
from pytest_images.builder.listing import stamp_of
from pytest_images.builder.siblings import Item
from pytest_images.dockerfile.ignore import IgnoreRules
from pytest_images.errors import PathError
from pytest_images.layer.changed import Changed
from pytest_images.layer.member import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from pytest_images.builder.siblings import Siblings
    from pytest_images.layer.files import Files
    from pytest_images.layer.scope import FileStat

_PIECE = 1 << 20


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

    def inside(self, path: str) -> Iterator[Item]:
        """Yield what is in the folder *path* itself, sorted; no link followed.

        Also a folder that is left out, where something in it may not be: `find` knows.
        """
        ...

    def below(self, path: str) -> Iterator[Item]:
        """Yield all that is below the folder *path*, sorted, folders first; no link followed."""
        ...

    def read(self, item: Item) -> bytes | None:
        """Return the content of a small file; None: it is to be opened. Raises as `open` does."""
        ...

    def contents(self, group: Siblings, *, keeps: bool = False) -> list[bytes | None]:
        """Return what is in the small files of a group, None in place of all else.

        Files with attributes are else. *keeps*: they are asked for again. Raises as `open` does.
        """
        ...

    def open(self, item: Item) -> BinaryIO:
        """Open a file. Raises OSError, Changed, or what reading an image can."""
        ...


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

    def inside(self, path: str) -> Iterator[Item]:
        """As `Tree` says."""
        return (item for item in self.below(path) if posixpath.dirname(item.path) == path)

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

    def contents(self, group: Siblings, *, keeps: bool = False) -> list[bytes | None]:
        """As `Tree` says."""
        return [self._files.get(group.prefix + name) for name in group.names]

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
            found = _in_image("/".join(place.parts), *place.described())
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

    def inside(self, path: str) -> Iterator[Item]:
        """As `Tree` says."""
        prefix = path + "/" * bool(path)
        for name, info, content in self._files.joinpath(path).scandir():
            yield _in_image(prefix + name, info, content)

    def below(self, path: str) -> Iterator[Item]:
        """As `Tree` says."""
        for item in self.inside(path):
            if not self._rules.excludes(item.path):
                yield item
            if item.kind is Kind.DIRECTORY:
                yield from self.below(item.path)

    def read(self, item: Item) -> bytes | None:
        """As `Tree` says."""
        if item.size > SMALL:
            return None
        return self._files.joinpath(item.path).read_bytes()

    def contents(self, group: Siblings, *, keeps: bool = False) -> list[bytes | None]:
        """As `Tree` says."""
        are_small = [
            item.kind is Kind.FILE and item.size <= SMALL and not item.xattrs for item in group.made
        ]
        read = self._files.joinpath(group.folder).read_each(compress(group.names, are_small))
        return [next(read) if is_small else None for is_small in are_small]

    def open(self, item: Item) -> BinaryIO:
        """As `Tree` says."""
        return self._files.joinpath(item.path).open("rb")


def _in_image(path: str, info: FileStat, content: str) -> Item:
    kind = Kind(info.kind)
    return Item(
        path,
        kind,
        info.mode,
        info.size if kind is Kind.FILE else 0,
        int(info.mtime),
        info.uid,
        info.gid,
        info.target if kind is Kind.SYMLINK else "",
        info.xattrs,
        content=content,
    )


@contextmanager
def opened(tree: Tree, item: Item) -> Iterator[BinaryIO]:
    """Open a file of *tree* for a block.

    Raises Changed where it is not the same at the end, or not what was promised of it.
    """
    stream = tree.open(item)
    promised = tree.promised(item) if isinstance(tree, FolderTree) else ""
    hashed = Hashed(stream) if promised else None
    try:
        yield cast("BinaryIO", hashed or stream)
        if item.stamp and stamp_of(os.fstat(stream.fileno())) != item.stamp:
            raise Changed(item.path)
        if hashed is not None and hashed.digest() != promised:
            raise Changed(item.path)
    finally:
        stream.close()


class Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        import hashlib

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
