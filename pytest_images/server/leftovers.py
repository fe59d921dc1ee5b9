"""Folders of registries whose process was killed before it could remove them."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

from pytest_images.content import locks
from pytest_images.errors import ImagesError

PREFIX = "images-registry-"
LOCK = "lock"
FRESH_SECONDS = 10.0  # a folder changed so lately may be one that is just being made


def make() -> Path:
    """Return a new temporary folder for a registry, after those of dead ones were removed."""
    sweep(Path(tempfile.gettempdir()))
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def sweep(folder: Path) -> None:
    """Remove the registries in *folder* that are ours and that nobody serves (a free lock)."""
    limit = time.time() - FRESH_SECONDS
    with os.scandir(folder) as entries:
        found = [Path(entry.path) for entry in entries if entry.name.startswith(PREFIX)]
    for path in found:
        with contextlib.suppress(OSError, ImagesError):  # gone meanwhile, or not like ours
            info = path.lstat()
            is_ours = stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid()
            if is_ours and info.st_mtime < limit:
                _remove_if_dead(path)


def _remove_if_dead(path: Path) -> None:
    if not (path / LOCK).exists():
        path.rmdir()  # killed before it had anything; refuses where there is something
        return
    held = locks.attempt(path / LOCK)
    if held is not None:
        with held:
            shutil.rmtree(path, ignore_errors=True)
