"""Looking into an image of the store: its layers are read where they lie."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_images.engine.sizes import look_into, record
from pytest_images.layer.contents import Contents
from pytest_images.layer.files import Files, LayerSource
from pytest_images.layer.limit import expansion_limit

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.model.digest import Digest
    from pytest_images.model.inspection import Inspection


def files(store: Store, inspection: Inspection, *, learn: bool = True) -> Files:
    """Return the files of an image in *store*; a layer is looked through at the first question.

    It is held against its diff ID then, and with *learn* its sizes are recorded, for the store
    to be asked. Raises InvalidDocument.
    """
    manifest, config = inspection.manifest, inspection.config
    name = _name(inspection)
    config.require_layers_of(manifest, name)
    sources = [
        LayerSource(
            layer.digest,
            diff_id,
            partial(_contents, store, layer.digest, diff_id, learn=learn),
            partial(store.open_blob, layer.digest),
        )
        for layer, diff_id in zip(manifest.layers, config.diff_ids, strict=True)
    ]
    return Files(sources, name, limit=expansion_limit(store.root), folder=store.root)


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
