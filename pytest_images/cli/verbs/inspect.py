"""`inspect`: everything about images, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.ending import say_error
from pytest_images.cli.options import Command, Option
from pytest_images.cli.terminal import json_text
from pytest_images.engine.docker_json import to_docker_json
from pytest_images.errors import ImagesError, Unsupported

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

_FORMAT_HELP = """\
Format output using a custom template:
'json':             Print in JSON format"""
_PLATFORM_HELP = """\
Inspect a specific platform of the multi-platform image.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)"""
COMMAND = Command(
    "inspect",
    "IMAGE [IMAGE...]",
    (
        Option("format", _FORMAT_HELP, short="f", kind="string"),
        Option("platform", _PLATFORM_HELP, kind="string"),
    ),
    least=1,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Print an array of the images that are here; say which are not."""
    wanted = parsed.text("format").strip()
    if wanted not in ("", "json"):
        raise Unsupported("inspect --format TEMPLATE", "this version knows 'json'")
    found, failures = [], []
    with settings.door() as images:
        for name in parsed.arguments:
            try:
                inspection = images.inspect(name, platform=parsed.text("platform") or None)
            except ImagesError as error:
                failures.append(error)
            else:
                found.append(to_docker_json(inspection))
    print(json_text(found, indent=None if wanted else 4))
    for failure in failures:
        say_error(failure)
    return 1 if failures else 0
