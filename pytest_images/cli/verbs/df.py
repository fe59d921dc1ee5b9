"""`df`: what the store holds, and what of it can be reclaimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import FORMAT_HELP, Command, Option
from pytest_images.cli.table import table
from pytest_images.cli.units import human_size

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

# The fields of `docker system df`, with their headers.
FIELDS = {
    "Type": "TYPE",
    "TotalCount": "TOTAL",
    "Active": "ACTIVE",
    "Size": "SIZE",
    "Reclaimable": "RECLAIMABLE",
}
COMMAND = Command("df", "", (Option("format", FORMAT_HELP, kind="string"),), most=0)


def run(parsed: Parsed, settings: Settings) -> int:
    """Print Docker's table; what no image reaches is a cache that can be reclaimed."""
    with settings.store() as store:
        usage = store.usage()
    images, cached = str(usage.images), human_size(usage.cache_size)
    lines = [
        ("Images", images, images, human_size(usage.size - usage.cache_size), "0B"),
        ("Cached Blobs", str(usage.cache_blobs), "0", cached, cached),
    ]
    wanted = parsed.text("format") or "table"
    if wanted == "table":
        print(table(tuple(FIELDS.values()), lines), end="")
        return 0
    from pytest_images.cli.formats import formatted, rows_of, show

    fields = [dict(zip(FIELDS, line, strict=True)) for line in lines]
    show(formatted(wanted, *rows_of("formatter.diskUsageContext", FIELDS, fields)))
    return 0
