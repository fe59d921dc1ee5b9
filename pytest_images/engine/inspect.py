"""`inspect`: everything the store knows of one image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_images.engine.selected import selected
from pytest_images.engine.sizes import manifest_of, measured
from pytest_images.errors import ImagesError
from pytest_images.model.inspection import Inspection

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.request.inspect import InspectRequest


def inspect(images: Images, store: Store, request: InspectRequest) -> Inspection:
    """Return an image with its documents, of an index the manifest for ``request.platform``.

    Its size is None where a layer cannot be measured. Raises ImageNotFound, AmbiguousImage,
    PlatformNotFound.
    """
    image = selected(store, request.image, request.platform)
    if request.sizes:
        try:
            image = measured(store, image)
        except ImagesError:
            image = replace(image, size=None)
    return Inspection(image, store.config_of(image.id), manifest_of(store, image))
