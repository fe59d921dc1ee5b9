"""`ls`: what the store holds, newest first."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_images.errors import ImagesError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.model.request.ls import LsRequest


def ls(images: Images, store: Store, request: LsRequest) -> tuple[Image, ...]:
    """List images, newest first; ``request.all`` changes nothing: none are intermediate.

    Raises InvalidUsage, ImageNotFound and AmbiguousImage (of ``before`` and ``since``).
    """
    listed: Iterable[Image] = store.images()
    filters = list(request.filters)
    if request.pattern is not None:
        filters.append(("reference", request.pattern))
    if filters:
        from pytest_images.engine.filters import filtered

        listed = filtered(store, listed, filters)
    if request.sizes:
        listed = _all_sized(store, list(listed))
    return tuple(listed)


def _all_sized(store: Store, images: list[Image]) -> list[Image]:
    """Measure those that nobody has; one that cannot be measured is listed without a size."""
    unknown = [number for number, image in enumerate(images) if image.size is None]
    if unknown:
        from pytest_images.engine.sizes import Findings

        with Findings(store) as findings:
            for number in unknown:
                with suppress(ImagesError):
                    images[number] = findings.measured(images[number])
    return images
