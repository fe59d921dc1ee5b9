"""An image's config and manifest, which a classic daemon gives only inside an archive."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_images.model.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images import Config, Image, Manifest


class LazyInspection(Inspection):
    """An inspection whose documents are read when somebody looks at them.

    Asking whether an image is there, or how large it is, must not move its layers. It
    pickles as a plain `Inspection`, with what it stands for.
    """

    def __init__(self, image: Image, tagged: str, read: Callable[[], Inspection]) -> None:
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "tagged", tagged)
        object.__setattr__(self, "_read", read)

    @cached_property
    def _whole(self) -> Inspection:
        return self._read()  # type: ignore[attr-defined, no-any-return] # set by __init__

    @property
    def config(self) -> Config:
        """The config, byte for byte."""
        return self._whole.config

    @property
    def manifest(self) -> Manifest:
        """The manifest, as an archive of the image has it."""
        return self._whole.manifest

    def __reduce__(self) -> tuple[Any, ...]:
        """Give what it stands for."""
        return Inspection, (self.image, self.config, self.manifest, self.tagged)
