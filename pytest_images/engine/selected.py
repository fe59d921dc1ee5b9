"""The image that a verb is to look at: of several platforms the one that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.content.rows import microseconds
from pytest_images.content.trusted import moment
from pytest_images.dataclass import replace
from pytest_images.engine.sizes import config_of
from pytest_images.errors import BlobNotFound, InvalidDocument, PlatformNotFound
from pytest_images.model.manifest import Manifest, parse_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pytest_images.content.store import Store
    from pytest_images.model.config import Config
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.selector import Selector


def selected(store: Store, selector: Selector, platform: Platform | None) -> Image:
    """Return the image that *selector* means, of its index the one for *platform*.

    Raises ImageNotFound, AmbiguousImage, PlatformNotFound.
    """
    image = store.image(selector)
    if platform is None or image.platform == platform:
        return image
    others = list(siblings(store, image))
    for other in others:
        if other.platform == platform:
            return other
    available = sorted({str(image.platform), *(str(each.platform) for each in others)})
    raise PlatformNotFound(str(image), str(platform), available)


def siblings(store: Store, image: Image) -> Iterator[Image]:
    """Yield those images of *image*'s index that are here, all of them under its names."""
    index = store.index_of(image.id)
    for entry in index.manifests if index is not None else ():
        try:
            manifest = parse_document(store.read(entry.digest), entry.media_type)
            if not isinstance(manifest, Manifest):
                continue
            config = config_of(store, manifest)
        except (BlobNotFound, InvalidDocument):  # not here, or no image: an attestation
            continue
        if all(store.has(layer.digest) for layer in manifest.layers):
            yield replace(
                image,
                id=config.id,
                manifest=manifest.descriptor,
                platform=entry.platform or config.platform,
                created=_moment(config),
                size=None,
                labels=config.labels,
            )


def _moment(config: Config) -> datetime | None:
    since_epoch = microseconds(config.created)
    return None if since_epoch is None else moment(since_epoch)
