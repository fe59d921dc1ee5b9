"""Files of a tree out of the store: into a folder, for bind mounts and local output; as a tar."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from pytest_images.builder.trees import opened
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Entry, LayerWriter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import BinaryIO

    from pytest_images.builder.copying import Copying
    from pytest_images.builder.siblings import Item
    from pytest_images.builder.trees import Tree


def export(copying: Copying, target: Path) -> Path:
    """Copy the one file or folder of *copying* to the new path *target*; returns that.

    Owners are this user's. Nothing is written outside of *target*: links are made, never
    followed. Raises Changed.
    """
    _fill(((each.tree, each.item, each.path) for each in copying.chosen), target)
    return target


def export_into(tree: Tree, folder: Path) -> None:
    """Copy all of *tree* into *folder*, made where it is missing; what is there is replaced.

    A link in *folder* where the tree has a folder is replaced too: nothing is written outside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _fill(((tree, item, item.path) for item in tree.below("")), folder)


def write_tar(tree: Tree, stream: BinaryIO) -> None:
    """Write all of *tree* as a tar, owners and times as they are in the image."""
    writer = LayerWriter(_Passing(stream))
    for item in tree.below(""):
        entry = Entry(
            _encoded(item.path),
            item.kind,
            item.mode,
            item.uid,
            item.gid,
            item.mtime,
            item.size,
            _encoded(item.target),
            xattrs=dict(item.xattrs or {}),
        )
        if item.kind is Kind.FILE:
            with opened(tree, item) as content:
                writer.add_stream(entry, content)
        else:
            writer.add(entry)
    writer.finish()


class _Passing:
    """A stream as a layer's sink: for what comes from streams, so no descriptor is needed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes | memoryview) -> None:
        self._stream.write(data)

    def fileno(self) -> int:
        return self._stream.fileno()

    def advance(self, count: int) -> None:
        """Hear nothing: the stream knows where it is."""


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _fill(found: Iterable[tuple[Tree, Item, str]], target: Path) -> None:
    folders: list[tuple[Path, Item]] = []
    for tree, item, below in found:
        path = target / below
        _put(tree, item, path)
        if item.kind is Kind.DIRECTORY:
            folders.append((path, item))
    for path, folder in reversed(folders):
        _dress(path, folder)


def _dress(path: Path, item: Item) -> None:
    path.chmod(item.mode)
    os.utime(path, (item.mtime, item.mtime))


def _put(tree: Tree, item: Item, path: Path) -> None:
    if item.kind is Kind.DIRECTORY:
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
            path.mkdir(0o700)
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if item.kind is Kind.SYMLINK:
        path.symlink_to(item.target)
    elif item.kind is Kind.FILE:
        with opened(tree, item) as stream, path.open("xb") as out:
            shutil.copyfileobj(stream, out, 1 << 20)
        _dress(path, item)
