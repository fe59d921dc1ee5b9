"""`docker image prune`."""

from __future__ import annotations

from pytest_images.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PruneRequest:
    """Remove dangling images, with ``all`` every one that no live lease holds.

    ``filters``: (key, value) pairs as of ``--filter``: ``until``, ``label``, ``label!``.
    """

    all: bool = False
    filters: tuple[tuple[str, str], ...] = ()
