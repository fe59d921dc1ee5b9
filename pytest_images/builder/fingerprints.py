"""The digests of a context's files, remembered by what the file system says of them.

A file whose size, times, inode and device are as they were is not read again. A file that was
changed in the very moment it was looked at could look the same afterwards: it is not remembered
(as git's index treats one that is "racily clean"), and hashed again when it is copied.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_images.builder.trees import FolderTree, folder_prefix, opened

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.builder.trees import Item, Tree

_PIECE = 1 << 20
_SETTLED = 2.0  # seconds after which a time stamp cannot come again
_LIMIT = 64 << 20  # bytes of what is remembered of one context


class Fingerprints:
    """What is known of the files of one folder; kept in *folder*, by the context's path."""

    def __init__(self, folder: Path, root: Path) -> None:
        name = hashlib.sha256(os.fsencode(root)).hexdigest()
        self._path = folder / name
        self._prefix = folder_prefix(root)
        self._known: dict[str, list[Any]] = self._load()
        self._fresh: dict[str, list[Any]] = {}

    def of(self, tree: Tree, item: Item) -> str:
        """Return the digest of a file's content. Raises OSError, or what reading an image can."""
        is_ours = isinstance(tree, FolderTree) and tree.prefix == self._prefix and bool(item.stamp)
        if is_ours:
            known = self._known.get(item.path)
            if known is not None and known[1:] == list(item.stamp):
                return str(known[0])
        found = _digest(tree, item)
        if isinstance(tree, FolderTree):
            is_settled = item.stamp[2] / 1e9 < time.time() - _SETTLED
            if not is_settled:
                tree.promise(item, found)
            elif is_ours:
                self._fresh[item.path] = [found, *item.stamp]
        return found

    def save(self) -> None:
        """Remember what was found; what cannot be written is not remembered."""
        if not self._fresh:
            return
        raw = json.dumps({**self._known, **self._fresh}, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            if len(raw) <= _LIMIT:
                fresh.write_bytes(raw)
                fresh.rename(self._path)

    def _load(self) -> dict[str, list[Any]]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _digest(tree: Tree, item: Item) -> str:
    content = tree.read(item)
    if content is not None:
        return hashlib.sha256(content).hexdigest()
    found = hashlib.sha256()
    with opened(tree, item) as stream:
        while piece := stream.read(_PIECE):
            found.update(piece)
    return found.hexdigest()
