"""What paths inside an image see: layers, listed at the first question, and the tree they make."""

from __future__ import annotations

import stat as modes
import threading
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass, field
from pytest_images.layer.member import Kind, readable
from pytest_images.layer.reading import LayerReader
from pytest_images.layer.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from pytest_images.layer.contents import Contents
    from pytest_images.layer.tree import Node
    from pytest_images.model.digest import Digest

_FORMATS = {
    Kind.FILE: modes.S_IFREG,
    Kind.HARDLINK: modes.S_IFREG,
    Kind.SYMLINK: modes.S_IFLNK,
    Kind.CHARACTER: modes.S_IFCHR,
    Kind.BLOCK: modes.S_IFBLK,
    Kind.DIRECTORY: modes.S_IFDIR,
    Kind.FIFO: modes.S_IFIFO,
}


@dataclass(frozen=True, slots=True)
class FileStat:
    """What an image says of one file.

    ``kind`` is ``file``, ``directory``, ``symlink``, ``hardlink`` (one whose target is not
    there), ``character device``, ``block device`` or ``fifo``; ``mode`` the permission bits;
    ``size`` is in bytes, ``mtime`` in seconds since 1970. ``target`` is where a link leads,
    ``layer`` the number of the layer it comes from, from 0; None for a directory that no
    layer lists but that must be there.
    """

    kind: str
    mode: int
    uid: int = 0
    gid: int = 0
    size: int = 0
    mtime: float = 0
    target: str = ""
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[str, bytes] = field(default_factory=dict)
    layer: int | None = None

    @property
    def filemode(self) -> str:
        """Kind and permissions as ``ls -l`` writes them: ``-rw-r--r--``."""
        return modes.filemode(_FORMATS[Kind(self.kind)] | self.mode)


class Layer:
    """One layer: *look* lists it, at the first question; *open_blob* opens it to be read.

    *limit* bounds what may come out of it, in bytes; where it is ever kept without its
    compression, that is in *folder*.
    """

    def __init__(
        self,
        digest: Digest,
        diff_id: Digest,
        look: Callable[[], Contents],
        open_blob: Callable[[], BinaryIO],
        *,
        limit: int | None,
        folder: Path,
    ) -> None:
        self.digest, self.diff_id = digest, diff_id
        self._look, self._open_blob = look, open_blob
        self._limit, self._folder = limit, folder
        self._lock = threading.Lock()
        self._contents: Contents | None = None

    @property
    def listed(self) -> int:
        """How many members were listed so far."""
        return len(self._contents) if self._contents is not None else 0

    @property
    def contents(self) -> Contents:
        """What it lists."""
        if self._contents is None:
            with self._lock:
                if self._contents is None:
                    self._contents = self._look()
        return self._contents

    @cached_property
    def reader(self) -> LayerReader:
        """Who reads its files."""
        return LayerReader(self._open_blob, self.contents, self._limit, self._folder)

    @cached_property
    def whiteouts(self) -> frozenset[bytes]:
        """The names of the members that take something away."""
        return frozenset(self.contents.whiteouts)


class Scope:
    """The layers that paths see, and the tree that they make.

    *below* sees the first of them.
    """

    def __init__(self, layers: Sequence[Layer], name: str, below: Scope | None = None) -> None:
        self.layers, self.name = layers, name
        self._below = below
        self._lock = threading.Lock()
        self._tree: Tree | None = None

    @property
    def tree(self) -> Tree:
        """What the layers make together."""
        if self._tree is None:
            with self._lock:
                if self._tree is None:
                    below = self._below.tree if self._below else None
                    self._tree = Tree([layer.contents for layer in self.layers], self.name, below)
                    self._below = None
        return self._tree

    def stat(self, node: Node) -> FileStat:
        """Return the facts of *node*; a directory that no layer lists is as Docker makes it."""
        return self.described(node)[0]

    def described(self, node: Node) -> tuple[FileStat, str]:
        """Return the facts of *node*, and what stands for a file's content: its place in a layer.

        The layer is told by its diff ID.
        """
        entry = self.tree.entry(node)
        if entry is None:
            return FileStat(Kind.DIRECTORY.value, 0o755), ""
        layer, index = self.layers[entry.layer], entry.place
        contents = layer.contents
        kind = contents.kind(index)
        found = FileStat(
            kind.value,
            contents.modes[index],
            contents.uids[index],
            contents.gids[index],
            contents.sizes[index],
            contents.mtimes[index],
            readable(contents.links.get(index, b"")),
            contents.devices.get(index, (0, 0)),
            contents.xattrs.get(index, {}),
            entry.layer,
        )
        return found, f"{layer.diff_id} {contents.offsets[index]}" if kind is Kind.FILE else ""
