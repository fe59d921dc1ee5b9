"""`fsck`: check the store, and repair it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import Command, Option
from pytest_images.errors import shown

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

COMMAND = Command(
    "fsck",
    "",
    (
        Option("rebuild", "Make the database anew from the names and the content"),
        Option("repair", "Take away what is damaged; it is fetched again when it is needed"),
    ),
    most=0,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Print a line for each problem and each repair; 1 when problems are left."""
    repair, rebuild = parsed.flag("repair"), parsed.flag("rebuild")
    with settings.store() as store:
        report = store.fsck(repair=repair, rebuild=rebuild)
        left = store.fsck() if report.repairs and not report.clean else report
    for problem in report.problems:
        print(shown(problem))
    for deed in report.repairs:
        print(f"repaired: {shown(deed)}")
    if report.clean:
        print(f"{shown(store.root)}: clean")
    elif not repair:
        print("Run 'pytest-images fsck --repair' to repair it.")
    return 0 if left.clean else 1
