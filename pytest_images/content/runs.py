"""Runs: who takes part, and which of them are over. A run is one of pytest, or of tox around it.

Each process of a run holds a locked file in ``runs/<run>/alive/``; a run none of whose files
is locked is dead. Joining and ending happen under the store's lock, so no sweep takes a run
that is just being born.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pytest_images.content import locks
from pytest_images.content.failures import translated
from pytest_images.errors import ImagesError, InvalidUsage

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.content.home import Home
    from pytest_images.content.index import Index

_RUN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"


def check(run: str) -> str:
    """Return *run* if it can name a folder. Raises InvalidUsage."""
    if not re.fullmatch(_RUN, run):
        raise InvalidUsage(run, "a run's name is 1 to 64 letters, digits, _ and -")
    return run


def join(home: Home, index: Index, run: str) -> locks.Held:
    """Take part in *run*: it lives at least as long as what is returned is held."""
    folder = home.runs / run
    with index.exclusive(), translated(folder):
        for path in (folder, folder / "records", folder / "alive"):
            path.mkdir(mode=0o700, exist_ok=True)
        return locks.create(folder / "alive" / os.urandom(8).hex())


def dead(home: Home) -> list[str]:
    """Under the store's lock: return the runs that nobody takes part in any more."""
    return [
        run
        for run in sorted(path.name for path in home.runs.iterdir())
        if not _lives(home.runs / run / "alive")
    ]


def _lives(folder: Path) -> bool:
    try:
        paths = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return False
    for path in paths:
        try:
            held = locks.attempt(path)
        except ImagesError:
            if path.exists() or path.is_symlink():
                return True  # in doubt; the check names the file
            continue  # its process left just now; others may be here
        if held is None:
            return True
        held.release()
    return False
