"""`docker image rm`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.platform import Platform
    from pytest_images.model.selector import Selector


@dataclass(frozen=True, slots=True)
class RmRequest:
    """Remove names, and images that no name is left for.

    ``force``: also an ID that several repositories name. ``prune_parents``: with the image
    goes what only it was made of, else that stays as a cache. ``platforms``: only these of an
    index.
    """

    image: Selector
    force: bool = False
    prune_parents: bool = True
    platforms: tuple[Platform, ...] = ()
