"""`df`: what the store holds, and what of it can be reclaimed."""

from __future__ import annotations

import sys
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
    """Print Docker's table; what is reclaimable is what no image reaches."""
    with settings.store() as store:
        usage = store.usage()
    share = round(100 * usage.cache_size / usage.size) if usage.size else 0
    active = usage.blobs - usage.cache_blobs
    content = human_size(usage.size, 4), f"{human_size(usage.cache_size, 4)} ({share}%)"
    images = (str(usage.images), str(usage.images), human_size(usage.size - usage.cache_size, 4))
    lines = [("Images", *images, "0B (0%)"), ("Blobs", str(usage.blobs), str(active), *content)]
    sys.stdout.write(table(HEADER, lines))
    return 0
