"""An image, and the other values that verbs give back: those are made at their first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_images.dataclass import dataclass, field
from pytest_images.model.frozen import FrozenMap
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.model.history_line import HistoryLine
    from pytest_images.model.platform import Platform
    from pytest_images.model.results import BuildResult, Loaded, Pushed, Removal

__all__ = ["BuildResult", "HistoryLine", "Image", "Loaded", "Pushed", "Removal"]


class _Unfinished:
    """What makes the fields of an image that are left for later, and of what."""

    __slots__ = ("_fill", "_source")


class _Deferred:
    """A field that is made when it is first looked at: a list of images shows few of them."""

    __slots__ = ("_slot",)

    def __init__(self, slot: Any) -> None:
        self._slot = slot

    def __get__(self, image: Any, owner: type) -> Any:
        if image is None:
            return self
        try:
            return self._slot.__get__(image, owner)
        except AttributeError:
            image._fill(image, image._source)
            return self._slot.__get__(image, owner)

    def __set__(self, image: Any, value: Any) -> None:
        self._slot.__set__(image, value)


@dataclass(frozen=True, slots=True)
class Image(_Unfinished):
    """An image that an engine holds; equal to another where the ID is, however it was found.

    ``id`` is the digest of its config. ``reference`` is the name it was asked for or got,
    None where it was listed. ``size`` is what its layers take unpacked, in bytes, as Docker
    counts; None where nobody has looked into the layers yet.
    """

    id: Digest
    manifest: Descriptor = field(compare=False)
    platform: Platform = field(compare=False)
    reference: Reference | None = field(default=None, compare=False)
    tags: tuple[Reference, ...] = field(default=(), compare=False)
    digests: tuple[Reference, ...] = field(default=(), compare=False)
    created: datetime | None = field(default=None, compare=False)
    size: int | None = field(default=None, compare=False)
    labels: Mapping[str, str] = field(default_factory=FrozenMap, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", FrozenMap(self.labels))

    @property
    def is_dangling(self) -> bool:
        """Whether no tag names it."""
        return not self.tags

    @property
    def digest(self) -> Digest:
        """The digest of its manifest."""
        return self.manifest.digest

    def __str__(self) -> str:
        return str(self.reference or self.id)


for _field in ("manifest", "platform", "labels"):
    setattr(Image, _field, _Deferred(getattr(Image, _field)))


def __getattr__(name: str) -> Any:
    """Import what listing and tagging do without: each value costs half a millisecond to define."""
    if name in __all__:
        from importlib import import_module

        home = "history_line" if name == "HistoryLine" else "results"
        return getattr(import_module(f"pytest_images.model.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
