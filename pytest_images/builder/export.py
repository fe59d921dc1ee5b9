"""Files of a tree into a folder of this machine: for bind mounts and local output."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from pytest_images.builder.trees import opened
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.layer.member import Kind

if TYPE_CHECKING:
    from pathlib import Path

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
        folders = [(target, item)]
        cut = len(item.path) + 1 if item.path else 0
        for inner in tree.below(item.path):
            path = target / inner.path[cut:]
            _put(tree, inner, path)
            if inner.kind is Kind.DIRECTORY:
                folders.append((path, inner))
        for path, folder in reversed(folders):
            path.chmod(folder.mode)
            os.utime(path, (folder.mtime, folder.mtime))
    return target


def _put(tree: Tree, item: Item, path: Path) -> None:
    if item.kind is Kind.DIRECTORY:
        path.mkdir(0o700)
    elif item.kind is Kind.SYMLINK:
        path.symlink_to(item.target)
    elif item.kind is Kind.FILE:
        with opened(tree, item) as stream, path.open("xb") as out:
            shutil.copyfileobj(stream, out, 1 << 20)
        path.chmod(item.mode)
        os.utime(path, (item.mtime, item.mtime))
