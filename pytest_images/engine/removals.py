"""What goes with images, told as Docker tells it: names, the ID, the layers nobody else has."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_images.engine.sizes import layers_of, manifest_of
from pytest_images.errors import ImagesError
from pytest_images.model.results import Removal
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.content.store import Store
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image


class _Parts(NamedTuple):
    """What an image is made of: documents, layers (digest, diff ID), and their chain IDs."""

    documents: Sequence[Digest] = ()
    layers: Sequence[tuple[Digest, Digest]] = ()
    chains: tuple[Digest, ...] = ()
    listing: Digest | None = None  # the index, of several platforms


def removed(store: Store, images: Sequence[Image], *, delete: bool) -> tuple[Removal, ...]:
    """Drop images with all their names; one that got or lost a name meanwhile stays.

    A layer is told by its chain ID, with the last of the images that had it. Sizes are the
    bytes that went from the disk, each blob counted once; without *delete* nothing goes.
    """
    parts = {image.id: _parts(store, image) for image in images}
    removals = store.forget_unchanged(images, delete=delete)
    freed = {each.deleted: each.size for each in removals if each.deleted is not None}
    gone = [image for image in images if image.id in freed]
    if delete:
        for image in gone:
            listing = parts[image.id].listing
            freed[image.id] += (store.delete_document(listing) or 0) if listing else 0
    told: list[Removal] = []
    seen: set[Digest] = set()
    for image in reversed(gone):
        told[:0] = _told(store, image, parts[image.id], freed, seen)
    told += [Removal(deleted=digest, size=size) for digest, size in freed.items()]
    return tuple(told)


def _parts(store: Store, image: Image) -> _Parts:
    """Read what *image* is made of; of one with damaged documents nothing is known."""
    with suppress(ImagesError):
        index = store.index_of(image.id)
        documents = [image.manifest.digest, manifest_of(store, image).config.digest]
        documents += [index.digest] if index is not None else []
        return _Parts(
            documents,
            layers_of(store, image),
            store.config_of(image.id).chain_ids,
            index.digest if index is not None else None,
        )
    return _Parts((image.manifest.digest,))


def _told(
    store: Store, image: Image, parts: _Parts, freed: dict[Digest, int], seen: set[Digest]
) -> list[Removal]:
    """Return the lines of one image that went; what it freed is taken out of *freed*."""
    kept = store.layers_kept(parts.layers)
    own = list(zip(parts.layers, parts.chains, strict=True))[kept:]
    # A layer that stays under another digest (compressed otherwise) may have gone under this one.
    unseen = [*parts.documents, *(digest for digest, _ in parts.layers[:kept])]
    size = freed.pop(image.id) + sum(freed.pop(digest, 0) for digest in unseen)
    lines = [Removal(untagged=name) for name in (*image.tags, *image.digests)]
    lines.append(Removal(deleted=image.id, size=size))
    lines += [
        Removal(deleted=chain, size=freed.pop(digest, 0))
        for (digest, _), chain in reversed(own)
        if chain not in seen
    ]
    seen.update(chain for _, chain in own)
    return lines
