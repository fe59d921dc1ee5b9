"""`inspect`: everything about images, as JSON or by a template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_images.cli.ending import say_error
from pytest_images.cli.options import Command, Option
from pytest_images.cli.terminal import json_text
from pytest_images.engine.docker_json import to_docker_json
from pytest_images.errors import ImagesError, InvalidTemplate

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

UNREADABLE = 64  # the exit status where a template cannot be read, Docker's
_FORMAT_HELP = """\
Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template"""
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
    """Print what the images that are here are, as JSON or by a template; say which are not."""
    wanted = parsed.text("format")
    writer = _Template if wanted not in ("", "json") else _Array
    try:
        written = writer(wanted)
    except InvalidTemplate as error:
        say_error(error)
        return UNREADABLE
    failures = []
    with settings.door() as images:
        for name in parsed.arguments:
            try:
                inspection = images.inspect(name, platform=parsed.text("platform") or None)
                written.add(to_docker_json(inspection))
            except ImagesError as error:
                failures.append(error)
    written.show()
    for failure in failures:
        say_error(failure)
    return 1 if failures else 0


class _Array:
    """All images as one array of JSON, on one line where ``json`` is *wanted*."""

    def __init__(self, wanted: str) -> None:
        self._indent, self._found = None if wanted else 4, list[dict[str, Any]]()

    def add(self, document: dict[str, Any]) -> None:
        self._found.append(document)

    def show(self) -> None:
        print(json_text(self._found, indent=self._indent))


class _Template:
    """A line for each image, by the template that is *wanted*. Raises InvalidTemplate."""

    def __init__(self, wanted: str) -> None:
        from pytest_images.template.template import Template

        self._template, self._lines = Template.parse(wanted), list[str]()

    def add(self, document: dict[str, Any]) -> None:
        """Fill the template in. Raises InvalidTemplate, LimitExceeded."""
        from pytest_images.cli.inspected import filled

        self._lines.append(f"{filled(self._template, document)}\n")

    def show(self) -> None:
        from pytest_images.cli.formats import show

        show("".join(self._lines) or "\n")
