"""`inspect`: everything the store knows of one image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_images.engine.sizes import manifest_of, measured
from pytest_images.errors import ImagesError, PlatformNotFound
from pytest_images.model.inspection import Inspection
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.request.inspect import InspectRequest


def inspect(images: Images, store: Store, request: InspectRequest) -> Inspection:
    """Return an image with its documents, of an index the manifest for ``request.platform``.

    Its size is None where a layer cannot be measured. Raises ImageNotFound, AmbiguousImage,
    PlatformNotFound.
    """
    image = store.image(request.image)
    if request.platform is not None and image.platform != request.platform:
        image = _sibling(store, image, request.platform)
    try:
        image = measured(store, image)
    except ImagesError:
        image = replace(image, size=None)
    return Inspection(image, store.config_of(image.id), manifest_of(store, image))


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
