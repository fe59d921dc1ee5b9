"""How much may come out of a compressed stream: a setting, else what the disk has room for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_images.errors import InvalidConfiguration

if TYPE_CHECKING:
    from pathlib import Path

SETTING = "PYTEST_IMAGES_EXPANSION_LIMIT"


def expansion_limit(folder: Path) -> int:
    """Return what an archive or a layer may be unpacked, in bytes.

    That is ``$PYTEST_IMAGES_EXPANSION_LIMIT``, else the free disk below *folder*; never a
    ratio, for honest layers reach any. Raises InvalidConfiguration.
    """
    text = os.environ.get(SETTING)
    if not text:
        disk = os.statvfs(folder)
        return disk.f_bavail * disk.f_frsize
    if not text.isascii() or not text.isdigit():
        raise InvalidConfiguration(SETTING, f'"{text}" is not a number of bytes')
    return int(text)
