"""Which plugins hold where: a suite's conftest.py holds for what is written below its folder."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Scopes:
    """The folders of the plugins that do not hold everywhere."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def add(self, name: str, folder: Path | str) -> None:
        """Have the plugin *name* hold for callers in or below *folder* only."""
        self._folders[name] = real(folder)

    def remove(self, name: str) -> None:
        """Forget the plugin *name*."""
        self._folders.pop(name, None)

    def hidden_at(self, place: str | None) -> tuple[str, ...]:
        """Name the plugins that do not hold at *place*, a file or folder; None: outside of all."""
        here = None if place is None else real(place)
        return tuple(
            name for name, folder in tuple(self._folders.items()) if not _is_in(here, folder)
        )


def _is_in(place: str | None, folder: str) -> bool:
    if place is None:
        return False
    return place == folder or place.startswith(folder.rstrip(os.sep) + os.sep)


@functools.lru_cache(maxsize=1024)
def real(path: Path | str) -> str:
    """Return *path* absolute and without links, so that two spellings compare equal."""
    return os.path.realpath(path)
