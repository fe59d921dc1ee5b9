"""What the store tells about its content: layers, usage, problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from pytest_images.model.digest import Digest


class LayerFacts(NamedTuple):
    """What a layer is once unpacked: its diff ID, its tar's size and its files' size (bytes)."""

    diff_id: Digest
    tar_size: int
    content_size: int


class Usage(NamedTuple):
    """What the store holds: counts, and bytes on disk.

    ``active`` images are in use (see `Store.in_use`); ``reclaimable`` is what only the others
    reach. ``cache_*`` is what no image reaches: what `Store.collect` may take.
    """

    images: int
    names: int
    blobs: int
    size: int
    cache_blobs: int
    cache_size: int
    active: int
    reclaimable: int


class Share(NamedTuple):
    """What one image takes on the disk (bytes): with others, and alone."""

    shared: int
    unique: int


class Problem(NamedTuple):
    """One damage that a check found: its kind (a stable word), the file, what is wrong."""

    kind: str
    path: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.path}: {self.detail}"


class Report(NamedTuple):
    """What a check found, and what a repair did about it, one line a deed."""

    problems: tuple[Problem, ...] = ()
    repairs: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.problems
