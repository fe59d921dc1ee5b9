"""A store for as long as one archive passes through it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_images import Host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images import Images


@contextmanager
def passing() -> Iterator[Images]:
    """Give the door to an empty store, which goes with the block.

    What comes from outside is checked here, whole, before a daemon sees any of it; and what
    an older daemon writes leaves in the form that was asked for, the same bytes each time.
    """
    with (
        tempfile.TemporaryDirectory(prefix="pytest-images-docker-") as folder,
        Host(home=folder, durability="fast", load_entry_points=False) as host,
    ):
        yield host.images
