"""`docker image inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.platform import Platform
    from pytest_images.model.selector import Selector


@dataclass(frozen=True, slots=True)
class InspectRequest:
    """Say everything about one image, of an index the manifest for ``platform``.

    Without ``sizes`` no layer is read to find how large the image is.
    """

    image: Selector
    platform: Platform | None = None
    sizes: bool = True
