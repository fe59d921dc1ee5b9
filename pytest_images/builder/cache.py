"""The results of steps, by their keys: small files that name a layer, and can be lost.

An entry holds as long as its layer is in the store. Nothing is flushed: half an entry, or one
whose layer has gone, is no entry.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_images.content.writing import replace_whole
from pytest_images.errors import ImagesError
from pytest_images.model import media_types
from pytest_images.model.descriptor import Descriptor
from pytest_images.model.digest import Digest
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.layer.written import Noted


class BuiltLayer(NamedTuple):
    """A layer of the image being built: how the manifest names it, and its diff ID."""

    descriptor: Descriptor
    diff_id: Digest

    @property
    def digest(self) -> Digest:
        """The digest of its blob."""
        return self.descriptor.digest


class Result(NamedTuple):
    """What a step made: a layer, or None where it changed no file; what was *noted* of it."""

    layer: BuiltLayer | None
    noted: list[Noted] | None = None


class Cache:
    """The results that this store remembers; layers that are found are held by *lease*."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self._store, self._lease = store, lease
        self._folder = store.workspace("results")

    def get(self, key: str) -> Result | None:
        """Return the result of the step with this key, None where it has to be done."""
        try:
            size, digest = json.loads(self._path(key).read_bytes())
            if digest is None:
                return Result(None)
            layer = plain_layer(Digest.parse(digest), int(size))
        except (OSError, ValueError, TypeError, ImagesError):
            return None
        self._lease.hold(layer.digest)
        return Result(layer) if self._store.has(layer.digest) else None

    def put(self, key: str, result: Result) -> None:
        """Remember a result. What cannot be written is not remembered."""
        layer = result.layer
        entry = [0, None] if layer is None else [layer.descriptor.size, str(layer.digest)]
        path = self._path(key)
        with suppress(OSError):  # the disk is full, say: the step is done again next time
            path.parent.mkdir(mode=0o700, exist_ok=True)
            replace_whole(path, json.dumps(entry).encode())

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key


def plain_layer(digest: Digest, size: int) -> BuiltLayer:
    """Return a layer that is stored without compression: its digest is its diff ID."""
    return BuiltLayer(Descriptor(media_types.OCI_LAYER, digest, size), digest)
