"""The digests of a context's files, remembered by what the file system says of them.

A file whose size, times, inode and device are as they were is not read again. A file that was
changed in the very moment it was looked at could look the same afterwards: it is not remembered
(as git's index treats one that is "racily clean"), and hashed again when it is copied.

Small files are remembered with those beside them, a large one by itself.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from itertools import zip_longest
from typing import TYPE_CHECKING

from pytest_images.builder.folder import SMALL, FolderTree, folder_prefix
from pytest_images.builder.trees import opened
from pytest_images.content.writing import replace_whole
from pytest_images.layer.member import Kind
from pytest_images.model.digest import sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pytest_images.builder.siblings import Item, Siblings
    from pytest_images.builder.trees import Tree

_PIECE = 1 << 20
_SETTLED = 2.0  # seconds after which a time stamp cannot come again
_LIMIT = 100_000  # digests remembered of one context: what was not used lately goes first


class Fingerprints:
    """What is known of the files of one folder; kept in *folder*, by the context's path.

    Made before the first of them is read.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        name = sha256(os.fsencode(root)).hexdigest()
        self._path = folder / name
        self._prefix = folder_prefix(root)
        self._settled = (time.time() - _SETTLED) * 1e9
        self._known = self._load()
        self._now: dict[str, str] = {}  # by path and stamp: of this build alone
        self._written: dict[Siblings, str] = {}  # of what was written, until its key is made
        self._used: dict[str, str] = {}
        self._fresh: dict[str, str] = {}

    def of(self, tree: Tree, item: Item) -> str:
        """Return the digest of a file's content. Raises OSError, or what reading an image can."""
        seen = self._seen(tree, item)
        found = self._now.get(seen) or self._recall(seen)
        if found is None:
            found = _digest(tree, item)
            self._keep(tree, item, seen, found)
        return found

    def of_files(self, tree: Tree, group: Siblings) -> Iterator[str]:
        """Yield the digests of a group's files, one after the other. Raises as `of` does."""
        import hashlib

        contents: Sequence[bytes | None] = ()
        if group.changed < self._settled:
            contents = tree.contents(group, keeps=True)
        for at, content in zip_longest(range(len(group.names)), contents):
            if content is not None:
                yield hashlib.sha256(content).hexdigest()
            elif (item := group.item(at)).kind is Kind.FILE:
                yield self.of(tree, item)

    def has(self, tree: Tree, item: Item) -> bool:
        """Say whether a file need not be read."""
        seen = self._seen(tree, item)
        return any(seen in digests for digests in (self._now, self._known, self._fresh))

    def learn(self, tree: Tree, item: Item, digest: str) -> None:
        """Hear what was in a file, which `of` is asked for later."""
        seen = self._seen(tree, item, though_small=True)
        if seen:
            self._now[seen] = digest
            self._keep(tree, item, seen, digest)

    def _keep(self, tree: Tree, item: Item, seen: str, digest: str) -> None:
        """Remember a digest, or have the tree promise it where the stamp says too little."""
        changed = item.stamp[2] if item.stamp else 0
        if isinstance(tree, FolderTree) and changed >= self._settled:
            tree.promise(item, digest)
        elif item.content or (item.size > SMALL and self._is_ours(tree)):
            self._learn(seen, changed, digest)

    def _seen(self, tree: Tree, item: Item, *, though_small: bool = False) -> str:
        """Return what stands for a file's content as long as it lasts; "": nothing does.

        A small file has its group for that, and is read and kept else.
        """
        if not isinstance(tree, FolderTree):
            return item.content
        if item.size > SMALL or self._now or though_small:
            return f"{tree.prefix}{item.path} {item.stamp}"
        return ""

    def _is_ours(self, tree: Tree) -> bool:
        return isinstance(tree, FolderTree) and tree.prefix == self._prefix

    def of_group(self, tree: Tree, group: Siblings, digest: Callable[[], str]) -> str:
        """Return what *digest* returned for a group when its files were as they are now."""
        seen = self._seen_of(tree, group)
        written = self._written.pop(group, "")
        if not seen:
            return written or digest()
        found = None if written else self._recall(seen)
        if found is None:
            found = self._learn(seen, group.changed, written or digest())
            for item in group.made:
                if item.size <= SMALL:  # the group stands for it from now on
                    self._fresh.pop(item.content, None)
        return found

    def has_group(self, tree: Tree, group: Siblings) -> bool:
        """Say whether no file of a group need be read."""
        seen = self._seen_of(tree, group)
        return seen in self._known or seen in self._fresh

    def learn_group(self, group: Siblings, digest: str) -> None:
        """Hear what was in the files of a group, which `of_group` is asked for later."""
        self._written[group] = digest

    def _seen_of(self, tree: Tree, group: Siblings) -> str:
        """Return what stands for the contents of a group's files; "": nothing does."""
        is_other = isinstance(tree, FolderTree) and not self._is_ours(tree)
        return "" if is_other else group.seen

    def _recall(self, seen: str) -> str | None:
        found = self._known.get(seen) or self._fresh.get(seen)
        if found is not None:
            self._used[seen] = found
        return found

    def _learn(self, seen: str, changed: int, found: str) -> str:
        if changed < self._settled:
            self._fresh[seen] = found
        return found

    def save(self) -> None:
        """Remember what was found; what cannot be written is not remembered."""
        if not self._fresh:
            return
        now = {**self._used, **self._fresh}
        before = {seen: found for seen, found in self._known.items() if seen not in now}
        latest = [*before.items(), *now.items()][-_LIMIT:]
        raw = json.dumps(dict(latest), separators=(",", ":")).encode("utf-8", "surrogatepass")
        with suppress(OSError):
            replace_whole(self._path, raw)

    def _load(self) -> dict[str, str]:
        try:
            found = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _digest(tree: Tree, item: Item) -> str:
    content = tree.read(item)
    if content is not None:
        return sha256(content).hexdigest()
    import hashlib

    found = hashlib.sha256()
    with opened(tree, item) as stream:
        while piece := stream.read(_PIECE):
            found.update(piece)
    return found.hexdigest()
