"""Looking into images of the store: their layers are read where they lie."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from pytest_images.engine.sizes import look_into, record
from pytest_images.layer.contents import Contents
from pytest_images.layer.files import Files
from pytest_images.layer.limit import expansion_limit
from pytest_images.layer.scope import Layer

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.model.digest import Digest
    from pytest_images.model.inspection import Inspection

KEPT_LIMIT = 250_000  # members of all images that are kept listed beside the last one

Key = tuple[str, "Digest", "Digest"]


class Looked:
    """The images that were looked into: each of their layers is listed once for all tests.

    The last one is kept, and those before it while they are small together. A layer's digest
    stands for its content, so nothing that is kept grows old. Used by many threads.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: dict[Key, Files] = {}
        self._layers: WeakValueDictionary[tuple[Digest, Digest], Layer] = WeakValueDictionary()

    def files(self, inspection: Inspection) -> Files:
        """Return the files of an image; a layer is looked through at the first question.

        It is held against its diff ID then, and its sizes are recorded. Raises InvalidDocument.
        """
        name = _name(inspection)
        key = (name, inspection.config.id, inspection.manifest.digest)
        with self._lock:
            found = self._kept.pop(key, None) or self._made(inspection, name)
            self._kept[key] = found
            self._forget()
        return found

    def _made(self, inspection: Inspection, name: str) -> Files:
        inspection.config.require_layers_of(inspection.manifest, name)
        pairs = zip(inspection.manifest.layers, inspection.config.diff_ids, strict=True)
        return Files([self._layer(layer.digest, diff_id) for layer, diff_id in pairs], name)

    def _layer(self, digest: Digest, diff_id: Digest) -> Layer:
        layer = self._layers.get((digest, diff_id))
        if layer is None:
            layer = layer_of(self._store, digest, diff_id, learn=True)
            self._layers[digest, diff_id] = layer
        return layer

    def _forget(self) -> None:
        """Let go of those looked into longest ago, beyond the limit."""
        count = 0
        for key, files in list(reversed(self._kept.items()))[1:]:
            count += sum(layer.listed for layer in files.layers)
            if count > KEPT_LIMIT:
                del self._kept[key]


def layer_of(store: Store, digest: Digest, diff_id: Digest, *, learn: bool) -> Layer:
    """Return a layer of *store* to look into; with *learn* its sizes are recorded then."""
    look = partial(_contents, store, digest, diff_id, learn=learn)
    read = partial(store.open_blob, digest)
    limit = expansion_limit(store.root)
    return Layer(digest, diff_id, look, read, limit=limit, folder=store.root)


def _contents(store: Store, digest: Digest, diff_id: Digest, *, learn: bool) -> Contents:
    contents = Contents(f"layer {digest}")
    facts = look_into(store, digest, diff_id, contents.add)
    if learn:
        record(store, digest, facts)
    return contents


def _name(inspection: Inspection) -> str:
    """Return what errors call the image: its name, else the start of its ID."""
    image = inspection.image
    reference = image.reference or next(iter(image.tags), None)
    return reference.familiar if reference is not None else image.id.short
