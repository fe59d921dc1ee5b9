"""What the verbs give back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_images.model.frozen import FrozenMap
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.model.platform import Platform


@dataclass(frozen=True, slots=True)
class Image:
    """An image that an engine holds.

    ``id`` is the digest of its config. ``reference`` is the name it was asked for or got,
    None where it was listed. ``size`` is what its layers take unpacked, in bytes, as Docker
    counts; None where nobody has looked into the layers yet.
    """

    id: Digest
    manifest: Descriptor
    platform: Platform
    reference: Reference | None = None
    tags: tuple[Reference, ...] = ()
    digests: tuple[Reference, ...] = ()
    created: datetime | None = None
    size: int | None = None
    labels: Mapping[str, str] = field(default_factory=FrozenMap)

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


@dataclass(frozen=True, slots=True)
class Loaded:
    """One image that `load` brought in; *displaced* is the ID the name stood for before."""

    image: Image
    reference: Reference | None = None
    displaced: Digest | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """One thing that `rm` or `prune` took away: a name (*untagged*) or content (*deleted*)."""

    untagged: Reference | None = None
    deleted: Digest | None = None
    size: int = 0

    def __str__(self) -> str:
        return (
            f"Untagged: {self.untagged.familiar}" if self.untagged else f"Deleted: {self.deleted}"
        )


@dataclass(frozen=True, slots=True)
class Pushed:
    """One name that `push` left in a registry, and what it stands for there."""

    reference: Reference
    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One step of an image's making, newest first in `history`; *size* in bytes."""

    id: Digest | None
    created: str
    created_by: str
    size: int
    comment: str = ""
    tags: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build made, and its full log."""

    image: Image | None
    log: str = ""
    warnings: tuple[str, ...] = ()
