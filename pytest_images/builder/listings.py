"""What large layers list, kept from build to build beside the store's blobs; can be lost."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_images.content.writing import replace_whole
from pytest_images.layer.stored import restored, stored
from pytest_images.model.digest import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.layer.contents import Contents
    from pytest_images.model.digest import Digest

FROM = 1 << 20  # bytes of a layer from which it is worth it
MOST = 1_000_000  # members of a layer up to which it is done
LIMIT = 256 << 20  # bytes of all that is kept: what was not used lately goes first


class Listings:
    """The listings of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, digest: Digest, diff_id: Digest) -> Contents | None:
        """Return what a layer lists, None where it is not known."""
        path = self._path(digest, diff_id)
        try:
            raw = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return restored(raw, f"layer {digest}")

    def put(self, digest: Digest, diff_id: Digest, contents: Contents) -> None:
        """Keep what a layer lists. What cannot be written is not kept."""
        if self._store.size(digest) < FROM or len(contents) > MOST:
            return
        raw = stored(contents)
        path = self._path(digest, diff_id)
        with suppress(OSError):  # the disk is full, say
            self._make_room(path.parent, LIMIT - len(raw))
            replace_whole(path, raw)

    def _make_room(self, folder: Path, limit: int) -> None:
        """Drop what was not used lately until the rest takes *limit* bytes."""
        found = [(path.stat(), path) for path in folder.iterdir()]
        found.sort(key=lambda pair: pair[0].st_mtime, reverse=True)
        size = 0
        for info, path in found:
            size += info.st_size
            if size > limit:
                path.unlink()

    def _path(self, digest: Digest, diff_id: Digest) -> Path:
        name = sha256(f"{digest} {diff_id}".encode()).hexdigest()
        return self._store.workspace("listings") / name
