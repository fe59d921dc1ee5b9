"""What the verbs give back beside images; import them from `pytest_images.model.image`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image
    from pytest_images.model.reference import Reference


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
class BuildResult:
    """What a build made, and its full log."""

    image: Image | None
    log: str = ""
    warnings: tuple[str, ...] = ()
