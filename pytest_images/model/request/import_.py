"""`docker image import`."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Make an image of one layer out of the tar of a root file system.

    ``changes``: Dockerfile instructions for the config. ``message``: the history's comment.
    """

    stream: BinaryIO
    name: str = "archive"
    reference: Reference | None = None
    changes: tuple[str, ...] = ()
    message: str = ""
    platform: Platform | None = None
