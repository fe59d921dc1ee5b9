"""`inspect`: everything the store knows of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import replace
from pytest_images.engine.selected import selected
from pytest_images.engine.sizes import config_of, manifest_of, measured
from pytest_images.errors import BlobNotFound, ImagesError, InvalidDocument, StoreDamaged
from pytest_images.model.inspection import Inspection

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.manifest import Index
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
    manifest = manifest_of(store, image)
    config, index = config_of(store, manifest), _index_of(store, request)
    return Inspection(image, config, manifest, store.tagged(image.id), index)


def _index_of(store: Store, request: InspectRequest) -> Index | None:
    """Return the index that the image came from; one that is damaged tells nothing."""
    try:
        return store.index_of(store.image(request.image).id)
    except (StoreDamaged, BlobNotFound, InvalidDocument):
        return None
