"""`version`: which version this is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import PROGRAM, Command

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

COMMAND = Command("version", "", most=0)


def run(parsed: Parsed, settings: Settings) -> int:
    """Print the version, of Python too: reports of faults need both."""
    import platform
    from importlib.metadata import version

    print(f"{PROGRAM} version {version(PROGRAM)}, Python {platform.python_version()}")
    return 0
