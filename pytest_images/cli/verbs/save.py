"""`save`: write images as one archive."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.cli.interrupts import terminable
from pytest_images.cli.options import Command, Option, invalid_value
from pytest_images.cli.terminal import watched
from pytest_images.errors import InvalidUsage

if TYPE_CHECKING:
    from typing import Literal

    Form = Literal["both", "oci", "docker"]

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

FORMS: dict[str, Form] = {"both": "both", "oci": "oci", "docker": "docker"}
FORMAT = Option(
    "format",
    'Form of the archive: "both" (an OCI layout with Docker\'s manifest.json), "oci" or '
    '"docker" (layers unpacked, for old programs)',
    kind="string",
)
COMMAND = Command(
    "save",
    "IMAGE [IMAGE...]",
    (
        FORMAT,
        Option("output", "Write to a file, instead of STDOUT", short="o", kind="string"),
        Option(
            "platform",
            'Save only the given platform variant. Formatted as "os[/arch[/variant]]" '
            '(e.g., "linux/amd64")',
            kind="strings",
            repeats=True,
        ),
    ),
    least=1,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Write the archive to the file named, or to standard output where nobody watches."""
    form, to = _form(parsed), _target(parsed.text("output"))
    platforms = ",".join(parsed.texts("platform")) or None
    with terminable(), settings.door() as images:
        images.save(parsed.arguments, to, form=form, platforms=platforms)
    return 0


def _form(parsed: Parsed) -> Form:
    text = parsed.text("format", "both")
    if text not in FORMS:
        raise invalid_value(COMMAND, FORMAT, text, f"it is none of {', '.join(FORMS)}")
    return FORMS[text]


def _target(path: str) -> str | BinaryIO:
    if path:
        return path
    if sys.stdout is None or watched(sys.stdout):
        reason = "cowardly refusing to save to a terminal. Use the -o flag or redirect"
        raise InvalidUsage("STDOUT", reason)
    return sys.stdout.buffer
