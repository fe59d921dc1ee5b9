"""Keeping what a run made: its names become everybody's before its overlay is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.content.store import Store
from pytest_images.dataclass import replace

if TYPE_CHECKING:
    from pytest_images.model.image import Image


def keep(store: Store, names: frozenset[str] | None) -> tuple[Image, ...]:
    """Copy the records of *store*'s run beside those of everybody.

    *names*: references as full text, or IDs of images without a name; None: all of them.
    Returns the images that stay, each with the names that do.
    """
    kept: list[Image] = []
    with Store.open(store.root, durability=store.durability) as everybody:
        known = {image.id: image for image in everybody.images()}
        for image in store.images():
            fresh = _fresh(image, known.get(image.id))
            chosen = [name for name in fresh if names is None or name in names]
            if chosen:
                stays = replace(image, tags=tuple(t for t in image.tags if str(t) in chosen))
                _copy(store, everybody, stays)
                kept.append(stays)
    return tuple(kept)


def _fresh(image: Image, known: Image | None) -> list[str]:
    """Return the names that *image* has in the run alone; its ID where it has none at all."""
    before = known.tags if known is not None else ()
    if not image.tags and known is None:
        return [str(image.id)]
    return [str(tag) for tag in image.tags if tag not in before]


def _copy(store: Store, everybody: Store, image: Image) -> None:
    index = store.index_of(image.id)
    everybody.add(
        store.manifest_of(image.id),
        store.config_of(image.id),
        list(image.tags),
        list(image.digests),
        None if index is None else index.digest,
    )
