"""`prune`: the images that nothing uses go, and their content with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.engine.filters import filtered
from pytest_images.engine.removals import removed
from pytest_images.errors import InvalidUsage

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.image import Image, Removal
    from pytest_images.model.request.prune import PruneRequest

KEYS = ("label", "label!", "until")


def prune(images: Images, store: Store, request: PruneRequest) -> tuple[Removal, ...]:
    """Remove images without a tag, or with ``request.all`` every image, but for those in use.

    In use is what a live lease of any process holds, or another live run has recorded. Without
    filters the content that no image has any more goes too. Raises InvalidUsage.
    """
    for key, value in request.filters:
        if key not in KEYS:
            error = InvalidUsage(f"{key}={value}", f"invalid filter '{key}'")
            error.add_note(f"Filters are: {', '.join(KEYS)}.")
            raise error
    store.sweep()
    going = filtered(store, _unused(store, all=request.all), request.filters)
    told = removed(store, going, delete=True)
    return told if request.filters else (*told, *store.collect(0))


def _unused(store: Store, *, all: bool) -> list[Image]:  # noqa: A002, RUF100 - Docker's word
    found = [image for image in store.images() if all or image.is_dangling]
    used = store.in_use() if found else frozenset()
    return [image for image in found if not {str(image.id), str(image.digest)} & used]
