"""Everything known of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.config import Config
    from pytest_images.model.image import Image
    from pytest_images.model.manifest import Index, Manifest


@dataclass(frozen=True, slots=True)
class Inspection:
    """An image with its documents; *tagged* is when a name last moved to it (RFC 3339).

    *index* is what the image was chosen from, None where it came alone.
    """

    image: Image
    config: Config
    manifest: Manifest
    tagged: str = ""
    index: Index | None = None
