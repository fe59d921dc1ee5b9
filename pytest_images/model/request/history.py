"""`docker image history`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.platform import Platform
    from pytest_images.model.selector import Selector


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Say how an image was made, newest step first."""

    image: Selector
    platform: Platform | None = None
