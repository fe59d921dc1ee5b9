"""Folders, locks and the modes of everything: the store is its owner's alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.content.facts import Problem
from pytest_images.content.home import FOLDERS, LOCKS, WORK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.home import Home


def missing(home: Home) -> Iterator[Problem]:
    """Yield folders and locks that are not there, or are not what they must be."""
    for name in FOLDERS:
        path = home.root / name
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            yield Problem("folder-unsafe", str(path), "it is not a folder of its own")
        elif not path.exists():
            yield Problem("folder-missing", str(path), "the folder is missing")
    for name in LOCKS:
        path = home.root / name
        if not path.exists() and not path.is_symlink():
            yield Problem("lock-missing", str(path), "the lock file is missing")
        elif not stat.S_ISREG(path.lstat().st_mode):
            yield Problem("lock-unsafe", str(path), "the lock is not a regular file")


def mend_missing(home: Home, problem: Problem) -> str:
    """Make what `missing` found; nothing that a link points to is touched."""
    path = Path(problem.path)
    if problem.kind.endswith("-unsafe"):
        path.rename(home.root / f"refused-{os.urandom(4).hex()}")
    if problem.kind.startswith("folder"):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return f"made {path}"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    return f"made {path}"


def strangers(home: Home) -> Iterator[Problem]:
    """Yield what lies among locks, leases, ingests and runs and is not of their kind."""
    for folder in (home.ingest, home.leases, home.guards):
        for entry in os.scandir(folder):
            if not entry.is_file(follow_symlinks=False):
                yield Problem("lock-unsafe", entry.path, "the lock is not a regular file")
    for entry in os.scandir(home.runs):
        if not entry.is_dir(follow_symlinks=False):
            yield Problem("run-unsafe", entry.path, "a run is not a folder")


def open_to_others(home: Home) -> Iterator[Problem]:
    """Yield what another user could read or write, or owns."""
    for folder, folders, files in os.walk(home.root):
        if folder == str(home.root) and WORK in folders:
            folders.remove(WORK)  # unpacked layers have the owners and modes of their images
        for name in (".", *folders, *files):
            path = os.path.normpath(os.path.join(folder, name))  # noqa: PTH118 - hot: every blob
            try:
                info = os.lstat(path)
            except FileNotFoundError:
                continue
            if stat.S_ISLNK(info.st_mode):
                continue  # its own checks name it
            if info.st_uid != os.geteuid():
                yield Problem("foreign-owner", path, f"it belongs to user {info.st_uid}")
            elif info.st_mode & 0o077 and (name == "." or name in files):
                mode = stat.S_IMODE(info.st_mode)
                yield Problem("bad-mode", path, f"others may use it (mode {mode:o})")


def mend_mode(problem: Problem) -> str:
    """Take the rights of others away."""
    path = Path(problem.path)
    path.chmod(path.lstat().st_mode & 0o700)
    return f"closed {path} to others"
