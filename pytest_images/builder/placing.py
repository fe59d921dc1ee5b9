"""Where files go in an image: through its own links, with the folders above them.

A layer that names ``tmp/file`` names ``tmp`` too, as the image has it: an unpacker that finds
no ``tmp`` in the layer would make one with other rights, over the image's.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pytest_images.dockerfile.malformed import Malformed
from pytest_images.errors import PathError
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_images.builder.modes import Owner
    from pytest_images.layer.files import ImagePath
    from pytest_images.layer.scope import FileStat
    from pytest_images.layer.writer import LayerWriter

_ROOT_MODE = 0o755
LINK_LIMIT = 40


class Places:
    """The places in a base image *root* (None: nothing is below) that a layer writes to.

    *latest* is in seconds since 1970: folders made here have this time, those of the base
    none later. *owner* is who new folders belong to.
    """

    def __init__(
        self, root: ImagePath | None, writer: LayerWriter, latest: int, owner: Owner
    ) -> None:
        self._root, self.writer = root, writer
        self._latest, self._owner = latest, owner
        self._written: set[str] = set()  # folders that the layer names
        self._fresh = {""} if root is None else set()  # folders of which the base has nothing
        self._known: dict[str, str] = {}

    def resolved(self, path: str) -> str:
        """Return where *path* leads in the base, its links followed as far as it is there."""
        if path not in self._known:
            self._known[path] = self._resolve(path)
        return self._known[path]

    def _resolve(self, path: str) -> str:
        parts = [part for part in path.split("/") if part not in ("", ".")]
        parts.reverse()
        done: list[str] = []
        links = 0
        while parts:
            part = parts.pop()
            if part == "..":
                done = done[:-1]
                continue
            target = self._link("/".join((*done, part)))
            if target is None or links == LINK_LIMIT:
                done.append(part)
                continue
            links += 1
            if target.startswith("/"):
                done = []
            parts += [piece for piece in reversed(target.split("/")) if piece not in ("", ".")]
        return "/".join(done)

    def is_folder(self, path: str) -> bool:
        """Say whether the base has a folder at the resolved *path*, or this layer made one."""
        return not path or path in self._written or self._kind(path) is Kind.DIRECTORY

    def folder(self, path: str) -> None:
        """Name the folder *path*, and those above it, in the layer: as the base has them.

        Raises Malformed where the base has something else.
        """
        if path in self._written or not path:
            return
        self.folder(posixpath.dirname(path))
        info = self._below(path)
        if info is not None and info.kind != Kind.DIRECTORY.value:
            raise Malformed(f"/{path} is not a directory")
        self._written.add(path)
        self.writer.add(self._new(path) if info is None else self._as_below(path, info))

    def entry(self, entry: Entry, *, replaces: bool = False) -> None:
        """Write a folder that is copied. *replaces*: whatever else the base has there.

        Raises Malformed.
        """
        path = entry.name.decode("utf-8", "surrogateescape")
        self.folder(posixpath.dirname(path))
        kind = self._kind(path)
        if kind is not Kind.DIRECTORY:
            self._fresh.add(path)
        if kind not in (None, Kind.DIRECTORY) and not replaces and path not in self._written:
            raise Malformed(f"cannot copy to non-directory: /{path}")
        self._written.add(path)
        self.writer.add(entry)

    def make_room(self, path: str) -> None:
        """Name the folder above a file that is copied. Raises Malformed: a folder is there."""
        above = path.rpartition("/")[0]
        if above not in self._written:
            self.folder(above)
        elif above in self._fresh and path not in self._written:
            return
        if self.is_folder(path):
            raise Malformed(f"cannot replace the directory /{path} with a file")

    def is_free(self, folder: str, paths: Iterable[str]) -> bool:
        """Name the *folder* above files that are copied; say whether nothing is at their *paths*.

        Raises Malformed.
        """
        self.folder(folder)
        return folder in self._fresh and self._written.isdisjoint(paths)

    def _link(self, path: str) -> str | None:
        if path in self._written or self._root is None:
            return None
        info = self._below(path)
        return info.target if info is not None and info.kind == Kind.SYMLINK.value else None

    def _kind(self, path: str) -> Kind | None:
        info = self._below(path)
        return None if info is None else Kind(info.kind)

    def _below(self, path: str) -> FileStat | None:
        """Return what the base has at *path*, None: nothing."""
        if self._root is None or posixpath.dirname(path) in self._fresh:
            return None
        try:
            return (self._root / path).lstat()
        except PathError:
            return None

    def _as_below(self, path: str, info: FileStat) -> Entry:
        name, time = path.encode("utf-8", "surrogateescape"), min(int(info.mtime), self._latest)
        xattrs = dict(info.xattrs)
        return Entry(name, Kind.DIRECTORY, info.mode, info.uid, info.gid, time, xattrs=xattrs)

    def _new(self, path: str) -> Entry:
        self._fresh.add(path)
        name = path.encode("utf-8", "surrogateescape")
        return Entry(name, Kind.DIRECTORY, _ROOT_MODE, *self._owner, self._latest)
