"""`tag`: a further name for an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import Command

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

COMMAND = Command("tag", "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", least=2, most=2)


def run(parsed: Parsed, settings: Settings) -> int:
    """Tag the image; nothing is printed."""
    source, target = parsed.arguments
    with settings.door() as images:
        images.tag(source, target)
    return 0
