"""The image that a verb is to look at: of several platforms the one that was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_images.errors import PlatformNotFound
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform


def selected(store: Store, selector: Selector, platform: Platform | None) -> Image:
    """Return the image that *selector* means, of its index the one for *platform*.

    Raises ImageNotFound, AmbiguousImage, PlatformNotFound.
    """
    image = store.image(selector)
    if platform is None or image.platform == platform:
        return image
    return _sibling(store, image, platform)


def _sibling(store: Store, image: Image, platform: Platform) -> Image:
    """Return the image for *platform* out of the index that *image* came from."""
    index = store.index_of(image.id)
    listed = {entry.digest for entry in index.manifests} if index is not None else set()
    others = [each for each in store.images() if each.manifest.digest in listed]
    for other in others:
        if other.platform == platform:
            return replace(store.image(Selector.of(other.id)), reference=image.reference)
    available = sorted({str(image.platform), *(str(each.platform) for each in others)})
    raise PlatformNotFound(str(image), str(platform), available)
