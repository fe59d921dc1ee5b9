"""The files that layers make, to copy from and to find places in: each layer is listed once."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from pytest_images.errors import DigestMismatch
from pytest_images.layer.contents import Contents
from pytest_images.layer.files import Files
from pytest_images.layer.limit import expansion_limit
from pytest_images.layer.measure import measure
from pytest_images.layer.scope import Layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.builder.cache import BuiltLayer
    from pytest_images.content.store import Store
    from pytest_images.model.digest import Digest


class Views:
    """The views of one build. Used by the threads of its stages."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._layers: dict[tuple[Digest, Digest], Layer] = {}

    def files(self, layers: Sequence[BuiltLayer]) -> Files:
        """Return the files of *layers* (lowest first); a layer is listed at the first question."""
        with self._lock:
            return Files([self._layer(each.digest, each.diff_id) for each in layers], "the image")

    def _layer(self, digest: Digest, diff_id: Digest) -> Layer:
        key = digest, diff_id
        if key not in self._layers:
            self._layers[key] = self._made(digest, diff_id)
        return self._layers[key]

    def _made(self, digest: Digest, diff_id: Digest) -> Layer:
        return Layer(
            digest,
            diff_id,
            partial(_listed, self._store, digest, diff_id),
            partial(self._store.open_blob, digest),
            limit=expansion_limit(self._store.root),
            folder=self._store.root,
        )


def _listed(store: Store, digest: Digest, diff_id: Digest) -> Contents:
    """List a layer, and hold it against its diff ID. Raises DigestMismatch, InvalidLayer."""
    source = f"layer {digest}"
    contents = Contents(source)
    with store.open_blob(digest) as stream:
        limit = expansion_limit(store.root)
        facts = measure(stream, source, limit, algorithm=diff_id.algorithm, visit=contents.add)
    if facts.diff_id != diff_id:
        raise DigestMismatch(str(diff_id), str(facts.diff_id), source)
    store.add_layer(digest, facts)
    return contents
