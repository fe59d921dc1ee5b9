"""`rm`: names go first, an image goes with its last one; Docker's rules and lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.engine.removals import removed
from pytest_images.engine.variants import remove_variants
from pytest_images.errors import Conflict, ImageNotFound
from pytest_images.model.image import Removal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.model.reference import Reference
    from pytest_images.model.request.rm import RmRequest
    from pytest_images.model.selector import Selector


def rm(images: Images, store: Store, request: RmRequest) -> tuple[Removal, ...]:
    """Remove a name; with the last one of an image, or by its ID, the image too.

    A repository's pinned names go with its last tag. An ID that several tags name is refused
    unless ``request.force`` is set. Returns what was untagged, then what was deleted. The
    content goes too, but in a run of tests, or when no parents are to be pruned: then it stays
    as a cache. Of some ``request.platforms`` only the content goes, the names stay, as long as
    another platform is here; this has to be forced. Raises ImageNotFound, AmbiguousImage,
    PlatformNotFound, Conflict.
    """
    image = store.image(request.image)
    if request.platforms:
        variants = remove_variants(store, image, request.platforms, force=request.force)
        if variants is not None:
            return variants
    names = (*image.tags, *image.digests)
    if image.reference is None:
        if not _is_single(names) and not request.force:
            raise _referenced(image)
        return _forgotten(images, store, request, image)
    going = _going(_named(image, request.image), names)
    if len(going) == len(names):
        return _forgotten(images, store, request, image)
    gone = [name for name in going if store.unname(name) is not None]
    return tuple(Removal(untagged=name) for name in gone)


def _forgotten(
    images: Images, store: Store, request: RmRequest, image: Image
) -> tuple[Removal, ...]:
    delete = request.prune_parents and store.run is None
    told = removed(store, [image], delete=delete)
    # Nothing: it got or lost a name since it was looked at, so all is looked at anew.
    return told or rm(images, store, request)


def _named(image: Image, selector: Selector) -> Reference:
    """Return the name to take away: for a digest the pinned name itself, never a tag's."""
    asked = selector.reference or image.reference
    if asked is None or asked.digest is None:
        return asked or image.tags[0]
    pinned = asked.with_tag(None).with_digest(asked.digest)
    if pinned not in image.digests:
        raise ImageNotFound(pinned.familiar)
    return pinned


def _going(name: Reference, names: Sequence[Reference]) -> list[Reference]:
    """Return *name*, and with a repository's last tag the repository's pinned names."""
    others = [other for other in names if other != name]
    same = [other for other in others if other.name == name.name]
    if name.digest is not None or any(other.digest is None for other in same):
        return [name]
    return [name, *same]


def _is_single(names: Sequence[Reference]) -> bool:
    """Say whether at most one tag names the image, and pinned names in that repository alone."""
    tags = [name for name in names if name.digest is None]
    return len(names) <= 1 or (len(tags) <= 1 and len({name.name for name in names}) == 1)


def _referenced(image: Image) -> Conflict:
    text = f"unable to delete {image.id.short} (must be forced)"
    error = Conflict(image.id.short, f"{text} - image is referenced in multiple repositories")
    error.add_note("Remove its names one by one, or force it.")
    return error
