"""`load`: take in the images of an archive."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.cli.interrupts import terminable
from pytest_images.cli.options import Command, Option
from pytest_images.cli.progress import LOAD, reporter
from pytest_images.cli.terminal import watched
from pytest_images.errors import InvalidUsage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings
    from pytest_images.model.image import Loaded

COMMAND = Command(
    "load",
    "",
    (
        Option(
            "input",
            "Read from tar archive file or OCI layout folder, instead of STDIN",
            short="i",
            kind="string",
        ),
        Option(
            "platform",
            'Load only the given platform variant. Formatted as "os[/arch[/variant]]" '
            '(e.g., "linux/amd64")',
            kind="strings",
            repeats=True,
        ),
        Option("quiet", "Suppress the load output", short="q"),
    ),
    most=0,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Load the archive and say what came in."""
    platforms = ",".join(parsed.texts("platform")) or None
    show = reporter(LOAD, quiet=parsed.flag("quiet"))
    name = parsed.text("input") or "standard input"
    with (
        terminable(),
        _source(parsed.text("input")) as source,
        settings.door(show) as images,
        show,
    ):
        loaded = images.load(source, name=name, platforms=platforms)
    for one in loaded:
        _say(one)
    return 0


@contextmanager
def _source(path: str) -> Iterator[str | BinaryIO]:
    """Give what to read: a path, or standard input unless a person sits there."""
    if path:
        yield path
        return
    if sys.stdin is None or watched(sys.stdin):
        error = InvalidUsage("STDIN", "requested load from stdin, but stdin is empty")
        error.add_note("name an archive with --input, or redirect one to standard input")
        raise error
    yield sys.stdin.buffer


def _say(loaded: Loaded) -> None:
    if loaded.reference is None:
        print(f"Loaded image ID: {loaded.image.id}")
        return
    name = loaded.reference.familiar
    if loaded.displaced is not None and loaded.displaced != loaded.image.id:
        print(
            f"The image {name} already exists, renaming the old one with ID "
            f"{loaded.displaced} to empty string"
        )
    print(f"Loaded image: {name}")
