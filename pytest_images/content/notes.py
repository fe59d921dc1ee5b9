"""Small JSON documents that many processes read and write, and that may be lost with no harm.

Whoever reads one sees an old or a new one whole. Nothing is flushed: what a power cut tore
reads as if it was never written.
"""

from __future__ import annotations

import io
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_images.content.failures import translated
from pytest_images.content.writing import replace_whole
from pytest_images.model.digest import sha256

if TYPE_CHECKING:
    from pathlib import Path


class Notes:
    """The notes of one folder, which is made with the first; each by a key of some words."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, *key: str) -> dict[str, Any]:
        """Return a note, ``{}`` where there is none."""
        with suppress(OSError, ValueError):  # never written, or torn
            with io.FileIO(self._path(key)) as file:
                found = json.loads(file.readall())
            if isinstance(found, dict):
                return found
        return {}

    def write(self, note: dict[str, Any], *key: str) -> None:
        """Write a note, in the place of an older one. Raises StoreFull, StoreError."""
        path = self._path(key)
        with translated(path):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_whole(path, json.dumps(note).encode())

    def _path(self, key: tuple[str, ...]) -> Path:
        return self._folder / sha256("\0".join(key).encode()).hexdigest()
