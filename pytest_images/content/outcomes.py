"""How the work of a run ended, told by the process that did it to the others of that run.

Files in the run's folder, so they go with the run. Who reads and writes one holds the guard of
its work. They are lost in a crash with no harm: the work is done again.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_images.content.failures import translated

if TYPE_CHECKING:
    from pathlib import Path


class Outcomes:
    """One small JSON document for each piece of work."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, *key: str) -> dict[str, Any]:
        """Return what is told of a piece of work, ``{}`` where nothing is."""
        with suppress(OSError, ValueError):  # never written, or torn: as if it was not done
            found = json.loads(self._path(key).read_bytes())
            if isinstance(found, dict):
                return found
        return {}

    def write(self, outcome: dict[str, Any], *key: str) -> None:
        """Tell of a piece of work. Raises StoreFull, StoreError."""
        path = self._path(key)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        with translated(path):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(outcome, file)
            fresh.replace(path)

    def _path(self, key: tuple[str, ...]) -> Path:
        import hashlib

        return self._folder / hashlib.sha256("\0".join(key).encode()).hexdigest()
