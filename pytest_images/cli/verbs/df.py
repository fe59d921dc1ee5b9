"""`df`: what the store holds, and what of it can be reclaimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import FORMAT_HELP, Command, Option
from pytest_images.cli.table import table
from pytest_images.cli.units import human_size, now, since
from pytest_images.cli.verbs.ls import listed
from pytest_images.errors import Unsupported

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
COMMAND = Command(
    "df",
    "",
    (
        Option("format", FORMAT_HELP, kind="string"),
        Option("verbose", "Show detailed information on space usage", short="v"),
    ),
    most=0,
)
DETAILS = ("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE")


def run(parsed: Parsed, settings: Settings) -> int:
    """Print Docker's table: what images not in use alone reach could go, and so could the cache."""
    if parsed.flag("verbose"):
        return _verbose(parsed, settings)
    with settings.store() as store:
        usage = store.usage()
    cached = human_size(usage.cache_size)
    lines = [
        (
            "Images",
            str(usage.images),
            str(usage.active),
            human_size(usage.size - usage.cache_size),
            _share(usage.reclaimable, usage.size - usage.cache_size),
        ),
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


def _share(part: int, whole: int) -> str:
    return f"{human_size(part)} ({part * 100 // whole}%)" if whole else human_size(part)


def _verbose(parsed: Parsed, settings: Settings) -> int:
    """Print a line for each name: what its image takes on the disk, and how much of it alone."""
    if parsed.has("format"):
        raise Unsupported("df --verbose --format", "the details have one form")
    with settings.store() as store:
        found, shares = store.images(), store.shares()
    moment = now()
    lines = []
    for row in listed(found, digests=False):
        share = shares[row.image.id]
        lines.append(
            (
                row.repository,
                row.tag,
                row.image.id.short,
                since(row.image.created, moment) or "N/A",
                *map(human_size, (share.shared + share.unique, share.shared, share.unique)),
            )
        )
    print(f"Images space usage:\n\n{table(DETAILS, lines)}", end="")
    return 0
