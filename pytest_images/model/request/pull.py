"""`docker image pull`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Bring an image here.

    ``platforms``: those wanted, best first; empty means the host's. The first that the
    index has is taken; when it has none the pull fails (strict). ``all_tags``: every tag of
    the repository. ``whole_index``: all platforms of the index, for pushing it on unchanged.
    """

    reference: Reference
    platforms: tuple[Platform, ...] = ()
    all_tags: bool = False
    whole_index: bool = False
