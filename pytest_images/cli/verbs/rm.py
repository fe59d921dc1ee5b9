"""`rm`: take names and images away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.ending import say_error
from pytest_images.cli.options import Command, Option
from pytest_images.errors import ImageNotFound, ImagesError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

_PLATFORM_HELP = """\
Remove only the given platform variant. Formatted as "os[/arch[/variant]]" \
(e.g., "linux/amd64")"""
COMMAND = Command(
    "rm",
    "IMAGE [IMAGE...]",
    (
        Option("force", "Force removal of the image", short="f"),
        Option("no-prune", "Do not delete what only this image was made of"),
        Option("platform", _PLATFORM_HELP, kind="strings", repeats=True),
    ),
    least=1,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Remove each image though another failed; the errors come last."""
    force = parsed.flag("force")
    failures: list[ImagesError] = []
    with settings.door() as images:
        for name in parsed.arguments:
            try:
                removed = images.rm(
                    name,
                    force=force,
                    prune_parents=not parsed.flag("no-prune"),
                    platforms=",".join(parsed.texts("platform")) or None,
                )
            except ImagesError as error:
                failures.append(error)
            else:
                print("".join(f"{removal}\n" for removal in removed), end="")
    return _told(failures, force=force)


def _told(failures: Sequence[ImagesError], *, force: bool) -> int:
    """Print the errors; what was to be forced away and is not there is no failure."""
    for failure in failures:
        say_error(failure)
    fatal = [f for f in failures if not (force and isinstance(f, ImageNotFound))]
    return 1 if fatal else 0
