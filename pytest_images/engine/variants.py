"""One platform of an image that has several: taken away alone, as `rm --platform` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.engine.selected import siblings
from pytest_images.engine.sizes import config_of, manifest_of
from pytest_images.errors import Conflict, PlatformNotFound
from pytest_images.model.image import Removal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.content.store import Store
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform

_WARNING = (
    "Content will be removed from all images referencing this variant. Use --force to force delete."
)


def remove_variants(
    store: Store, image: Image, platforms: Sequence[Platform], *, force: bool
) -> tuple[Removal, ...] | None:
    """Delete the content of *image*'s *platforms*; its index and the others stay.

    Its names go over to a platform that stays where theirs goes. None: none would stay, so it
    is the image that is to go. Raises PlatformNotFound, and Conflict without *force*, in a run
    of tests, or for a platform that is in use or an image of its own.
    """
    here = [image, *(each for each in siblings(store, image) if each.id != image.id)]
    going = [each for each in here if each.platform in platforms]
    missing = [each for each in platforms if each not in {other.platform for other in going}]
    if missing:
        found = sorted(str(each.platform) for each in here)
        raise PlatformNotFound(str(image), ", ".join(map(str, missing)), found)
    if not force:
        raise Conflict(str(image), _WARNING)
    staying = [each for each in here if each not in going]
    if not staying:
        return None
    if store.run is not None:
        raise Conflict(str(image), "a run of tests deletes no content: others may share it")
    if image in going:
        _name_instead(store, image, staying[0])
    return tuple(_deleted(store, each) for each in going)


def _name_instead(store: Store, image: Image, other: Image) -> None:
    """Let the names of *image* stand for *other*, of the same index, and forget *image*."""
    index = store.index_of(image.id)
    manifest = manifest_of(store, other)
    digest = index.digest if index is not None else None
    store.add(manifest, config_of(store, manifest), image.tags, image.digests, digest)
    store.forget(image.id)


def _deleted(store: Store, variant: Image) -> Removal:
    freed = store.delete_document(variant.digest)
    if freed is None:
        raise Conflict(str(variant.digest), "it is in use, or an image of its own")
    return Removal(deleted=variant.digest, size=freed)
