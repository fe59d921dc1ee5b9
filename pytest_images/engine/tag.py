"""`tag`: a further name for an image that is here."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pytest_images.engine.given import check_given
from pytest_images.model.reference import DEFAULT_TAG
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.model.request.tag import TagRequest


def tag(images: Images, store: Store, request: TagRequest) -> Image:
    """Name the image that ``request.source`` selects ``request.target``; the name moves.

    Returns the image under its new name. Raises ImageNotFound, AmbiguousImage, and
    InvalidUsage for a name that cannot be given.
    """
    target = request.target
    check_given(target)
    if target.tag is None:
        target = target.with_tag(DEFAULT_TAG)
    image = store.image(request.source)
    store.name(target, image.id, image.manifest.digest, tagged=_now())
    return store.image(Selector.of(target))


def _now() -> str:
    """Return the time as Go writes it: RFC 3339 with the local zone."""
    return datetime.now().astimezone().isoformat().replace("+00:00", "Z")
