"""`docker image ls`."""

from __future__ import annotations

from pytest_images.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LsRequest:
    """List images.

    ``pattern``: ``REPOSITORY[:TAG]``, None for all. ``filters``: (key, value) pairs as of
    ``--filter``, all of which must hold (several values of one key: any of
    them, but of ``label`` all). ``sizes``: fill in
    ``Image.size``, which may mean reading layers nobody has looked into yet.
    """

    pattern: str | None = None
    filters: tuple[tuple[str, str], ...] = ()
    all: bool = False
    sizes: bool = True
