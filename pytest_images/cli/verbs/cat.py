"""`cat`: files of an image, written to standard output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_images.cli.ending import say_error
from pytest_images.cli.options import Command
from pytest_images.cli.verbs.files import PLATFORM
from pytest_images.errors import PathError

if TYPE_CHECKING:
    from typing import BinaryIO

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings
    from pytest_images.layer.files import ImagePath

COMMAND = Command("cat", "IMAGE PATH [PATH...]", (PLATFORM,), least=2)
_CHUNK = 1 << 18


def run(parsed: Parsed, settings: Settings) -> int:
    """Write the files one after the other, byte for byte; say which cannot be."""
    image, *paths = parsed.arguments
    status = 0
    with settings.door() as images:
        files = images.files(image, platform=parsed.text("platform") or None)
        for path in paths:
            try:
                _write(files / path, sys.stdout.buffer)
            except PathError as error:
                say_error(error)
                status = 1
    return status


def _write(path: ImagePath, out: BinaryIO) -> None:
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            out.write(piece)
