"""`import`: make an image of the tar of a root file system."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from pytest_images.cli.interrupts import terminable
from pytest_images.cli.options import Command, Option
from pytest_images.cli.terminal import watched
from pytest_images.errors import InvalidUsage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

COMMAND = Command(
    "import",
    "file|URL|- [REPOSITORY[:TAG]]",
    (
        Option(
            "change",
            "Apply Dockerfile instruction to the created image",
            short="c",
            kind="list",
            repeats=True,
        ),
        Option("message", "Set commit message for imported image", short="m", kind="string"),
        Option(
            "platform",
            'Platform of the image, this machine\'s without. Formatted as "os[/arch[/variant]]"',
            kind="string",
        ),
    ),
    least=1,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Make the image and print its ID."""
    source, *names = parsed.arguments
    with terminable(), _opened(source) as stream, settings.door() as images:
        image = images.import_(
            stream,
            names[0] if names else None,
            name="standard input" if source == "-" else "",
            changes=parsed.texts("change"),
            message=parsed.text("message"),
            platform=parsed.text("platform") or None,
        )
    print(image.id)
    return 0


@contextmanager
def _opened(source: str) -> Iterator[str | BinaryIO]:
    """Give what to read: standard input, an address, or a file."""
    from pytest_images.http.address import is_url

    if source == "-":
        yield _standard_input()
    elif is_url(source):
        from pytest_images.http.download import Download

        with Download(source, lambda: _say(stream.name)) as stream:
            yield cast("BinaryIO", stream)
    else:
        yield source


def _standard_input() -> BinaryIO:
    if sys.stdin is None or watched(sys.stdin):
        error = InvalidUsage("STDIN", "requested import from stdin, but stdin is empty")
        error.add_note("name a file or an address, or redirect a tar to standard input")
        raise error
    return sys.stdin.buffer


def _say(address: str) -> None:
    print(f"Downloading from {address}", flush=True)
