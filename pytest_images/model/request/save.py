"""`docker image save`."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.platform import Platform
    from pytest_images.model.selector import Selector


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """Write images as one archive into ``stream``, which stays open.

    ``form``: ``both`` (``manifest.json`` and an OCI layout, as Docker writes), ``oci`` or
    ``docker``. ``platforms``: only these of an index.
    """

    images: tuple[Selector, ...]
    stream: BinaryIO
    form: str = "both"
    platforms: tuple[Platform, ...] = ()
