"""`prune`: take away what nothing uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.filters import filter_option, filters_of
from pytest_images.cli.options import Command, Option
from pytest_images.cli.terminal import confirmed
from pytest_images.cli.units import human_size

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings
    from pytest_images.model.image import Removal

DANGLING = "WARNING! This will remove all dangling images."
ALL = "WARNING! This will remove all images without at least one container associated to them."
FILTER = filter_option('Provide filter values (e.g. "until=<timestamp>")')
COMMAND = Command(
    "prune",
    "",
    (
        Option("all", "Remove all unused images, not just dangling ones", short="a"),
        FILTER,
        Option("force", "Do not prompt for confirmation", short="f"),
    ),
    most=0,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Ask, remove, and say what went and how much room that gave; a No is no failure."""
    everything, filters = parsed.flag("all"), filters_of(parsed, COMMAND, FILTER)
    if not parsed.flag("force") and not confirmed(ALL if everything else DANGLING):
        return 0
    with settings.door() as images:
        removals = images.prune(all=everything, filters=filters)
    if removals:
        print("Deleted Images:\n" + "".join(map(_line, removals)))
    print(f"Total reclaimed space: {human_size(sum(each.size for each in removals))}")
    return 0


def _line(removal: Removal) -> str:
    text = str(removal)
    return f"{text[0].lower()}{text[1:]}\n"
