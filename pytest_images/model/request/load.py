"""`docker image load`."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.model.platform import Platform


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Take in the images of an archive.

    ``source``: a binary stream, read once from where it stands and left open; or the folder
    of an OCI image layout. ``name`` is what errors call it. ``platforms``: those wanted of
    an index, empty for the host's where it has it, else all it has.
    """

    source: BinaryIO | Path
    name: str = "archive"
    platforms: tuple[Platform, ...] = ()
