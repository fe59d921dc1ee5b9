"""Files of a tree out of the store: into a folder, for bind mounts and local output; as a tar."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from pytest_images.builder.trees import opened
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Entry, LayerWriter

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from pytest_images.builder.trees import Item, Tree


def export(tree: Tree, source: str, target: Path) -> Path:
    """Copy what *source* is in *tree* to the new path *target*; returns that.

    Owners are this user's. Nothing is written outside of *target*: links are made, never
    followed. Raises Malformed where there is no such file.
    """
    item = tree.find(source.strip("/"))
    if item is None:
        raise Malformed(f'"/{source.strip("/")}": not found')
    _put(tree, item, target)
    if item.kind is Kind.DIRECTORY:
        _fill(tree, item, target)
        _dress(target, item)
    return target


def export_into(tree: Tree, folder: Path) -> None:
    """Copy all of *tree* into *folder*, made where it is missing; what is there is replaced.

    A link in *folder* where the tree has a folder is replaced too: nothing is written outside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    item = tree.find("")
    if item is not None:
        _fill(tree, item, folder)


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


def _fill(tree: Tree, item: Item, target: Path) -> None:
    folders: list[tuple[Path, Item]] = []
    cut = len(item.path) + 1 if item.path else 0
    for inner in tree.below(item.path):
        path = target / inner.path[cut:]
        _put(tree, inner, path)
        if inner.kind is Kind.DIRECTORY:
            folders.append((path, inner))
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
