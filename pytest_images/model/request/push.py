"""`docker image push`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference


@dataclass(frozen=True, slots=True)
class PushRequest:
    """Put a name and what it stands for into its registry.

    ``all_tags``: every tag of the repository that is here. ``platform``: only this one of
    an index. ``whole_index``: the index the name stood for where it was pulled from, with
    every platform it lists; the digest stays.
    """

    reference: Reference
    all_tags: bool = False
    platform: Platform | None = None
    whole_index: bool = False
