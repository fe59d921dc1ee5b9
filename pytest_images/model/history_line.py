"""One line of `history`; import it from `pytest_images.model.image`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.digest import Digest
    from pytest_images.model.reference import Reference


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One step of an image's making, newest first in `history`.

    *id* and *tags* are the image's, of its newest step only. *created* is RFC 3339, empty
    where it is not known. *size* is what its layer takes unpacked, in bytes; None where the
    layer cannot be measured.
    """

    id: Digest | None
    created: str
    created_by: str
    size: int | None
    comment: str = ""
    tags: tuple[Reference, ...] = ()
