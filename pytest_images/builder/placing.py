"""Where files go in an image: through its own links, with the folders above them.

A layer that names ``tmp/file`` names ``tmp`` too, as the image has it: an unpacker that finds
no ``tmp`` in the layer would make one with other rights, over the image's.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pytest_images.errors import PathError
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Entry

if TYPE_CHECKING:
    from pytest_images.builder.modes import Owner
    from pytest_images.layer.files import ImagePath
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
        self._written: set[str] = set()
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
        if not path or path in self._written:
            return True
        return self._root is not None and (self._root / path).is_dir()

    def folder(self, path: str) -> None:
        """Name the folder *path*, and those above it, in the layer: as the base has them."""
        if path in self._written or not path:
            return
        self.folder(posixpath.dirname(path))
        self._written.add(path)
        self.writer.add(self._found(path) or self._new(path))

    def entry(self, entry: Entry) -> None:
        """Write a folder that is copied; a second time is one too many."""
        path = entry.name.decode("utf-8", "surrogateescape")
        self.folder(posixpath.dirname(path))
        if path not in self._written:
            self._written.add(path)
            self.writer.add(entry)

    def _link(self, path: str) -> str | None:
        if self._root is None:
            return None
        place = self._root / path
        try:
            return place.readlink() if place.is_symlink() else None
        except PathError:
            return None

    def _found(self, path: str) -> Entry | None:
        if self._root is None:
            return None
        try:
            info = (self._root / path).lstat()
        except PathError:
            return None
        if info.kind != Kind.DIRECTORY.value:
            return None
        name, time = path.encode("utf-8", "surrogateescape"), min(int(info.mtime), self._latest)
        xattrs = dict(info.xattrs)
        return Entry(name, Kind.DIRECTORY, info.mode, info.uid, info.gid, time, xattrs=xattrs)

    def _new(self, path: str) -> Entry:
        name = path.encode("utf-8", "surrogateescape")
        return Entry(name, Kind.DIRECTORY, _ROOT_MODE, *self._owner, self._latest)
