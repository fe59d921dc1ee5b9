"""`df`: what the store holds, and what of it can be reclaimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import Command
from pytest_images.cli.table import table
from pytest_images.cli.units import human_size

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

HEADER = ("TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE")
COMMAND = Command("df", "", most=0)


def run(parsed: Parsed, settings: Settings) -> int:
    """Print Docker's table; what no image reaches is a cache that can be reclaimed."""
    with settings.store() as store:
        usage = store.usage()
    images, cached = str(usage.images), human_size(usage.cache_size)
    lines = [
        ("Images", images, images, human_size(usage.size - usage.cache_size), "0B"),
        ("Cached Blobs", str(usage.cache_blobs), "0", cached, cached),
    ]
    print(table(HEADER, lines), end="")
    return 0
