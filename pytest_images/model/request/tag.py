"""`docker image tag`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.reference import Reference
    from pytest_images.model.selector import Selector


@dataclass(frozen=True, slots=True)
class TagRequest:
    """Give ``source`` the further name ``target``, which must have a tag and no digest."""

    source: Selector
    target: Reference
