"""Images built here on their way out: their plain layers are compressed at the first push.

From then on the image has the compressed layers, so that its digest in a registry stays the
same. Layers that came from elsewhere go as they came.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_images.builder.documents import COMMENT, layer_descriptor, make_manifest
from pytest_images.content.writing import replace_whole
from pytest_images.layer.compression import Compression
from pytest_images.layer.packing import pack
from pytest_images.model import media_types
from pytest_images.model.digest import Digest
from pytest_images.model.manifest import Manifest
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.model.config import Config
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.image import Image
    from pytest_images.model.reference import Reference


def packed(store: Store, lease: Lease, name: Reference) -> Image:
    """Return the image that *name* stands for, what was built here compressed and recorded so."""
    image = store.image(Selector.of(name))
    if not _loose_layers(store, image):
        return image
    with store.guard("pack", str(image.id)):
        image = store.image(Selector.of(name))  # another process may have done it
        loose = _loose_layers(store, image)
        if loose:
            manifest = _manifest(store, image)
            config = store.config_of(image.id)
            layers = [
                _packed_layer(store, lease, each) if each.digest in loose else each
                for each in manifest.layers
            ]
            compressed = make_manifest(config, layers)
            lease.hold(compressed.digest)
            store.put(compressed.raw, compressed.digest)
            store.exchange(manifest.digest, compressed, config)
    return store.image(Selector.of(name))


def _loose_layers(store: Store, image: Image) -> frozenset[Digest]:
    """Return the layers of *image* that were made here, are plain, and were in no registry."""
    if any(pin.digest == image.digest for pin in image.digests):
        return frozenset()
    manifest = _manifest(store, image)
    if all(layer.media_type != media_types.OCI_LAYER for layer in manifest.layers):
        return frozenset()
    made = _made_here(store.config_of(image.id))
    pairs = zip(manifest.layers, made, strict=False)
    return frozenset(
        layer.digest
        for layer, is_ours in pairs
        if is_ours and layer.media_type == media_types.OCI_LAYER
    )


def _made_here(config: Config) -> Sequence[bool]:
    """Say for each layer whether the history says that a build of ours made it."""
    steps = [line for line in config.history if not line.empty_layer]
    if len(steps) != len(config.diff_ids):
        return ()
    return [step.comment == COMMENT for step in steps]


def _manifest(store: Store, image: Image) -> Manifest:
    return Manifest.parse(store.read(image.digest), source=str(image.digest))


def _packed_layer(store: Store, lease: Lease, layer: Descriptor) -> Descriptor:
    """Return the compressed form of a plain layer: one that is here, else one made now."""
    record = store.workspace("packed") / layer.digest.encoded
    with suppress(OSError, ValueError, TypeError):
        digest, size = json.loads(record.read_bytes())
        known = layer_descriptor(Digest.parse(digest), int(size), Compression.GZIP)
        lease.hold(known.digest)
        if store.has(known.digest):
            return known
    with store.open_blob(layer.digest) as stream, store.ingest() as ingest:
        pack(stream, ingest)
        size = ingest.offset
        lease.hold(ingest.digest())
        made = layer_descriptor(ingest.commit(), size, Compression.GZIP)
    with suppress(OSError):  # what cannot be remembered is made again
        replace_whole(record, json.dumps([str(made.digest), made.size]).encode())
    return made
