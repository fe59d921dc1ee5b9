"""Whose container it is: labels that lead to a lock, which says whether its owner lives.

A container outlives a process that is killed. The next one takes away what is surely of a dead
one of this user on this running system; what may be anybody else's is never touched.
"""

from __future__ import annotations

import json
import os
import platform
import threading
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from pytest_images import ImageNotFound, ImagesError
from pytest_images.content import locks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_images_docker.daemon import Daemon

SYSTEM, LOCK, INODE = (f"pytest-images.{name}" for name in ("system", "lock", "inode"))
_swept: set[str] = set()
_lock = threading.Lock()


@contextmanager
def owned(folder: Path) -> Iterator[dict[str, str]]:
    """Give the labels of what is made now; a lock in *folder* is held until the end."""
    with locks.create(folder / "docker.lock") as held:
        inode = os.fstat(held.descriptor).st_ino
        yield {SYSTEM: system(), LOCK: quote(bytes(held.path)), INODE: str(inode)}


def sweep(daemon: Daemon) -> None:
    """Take away what dead processes left in *daemon*, once a process. Raises as `Daemon.ask`."""
    with _lock:
        if daemon.name in _swept:
            return
        _swept.add(daemon.name)
    ours = {"filters": _filters(f"{SYSTEM}={system()}"), "all": "1"}
    for container in daemon.ask("GET", "/containers/json", ours):
        if _is_left(container["Labels"]):
            remove(daemon, "containers", container["Id"])
    for image in daemon.ask("GET", "/images/json", ours):
        if _is_left(image["Labels"]):
            remove(daemon, "images", image["Id"])
    for volume in daemon.ask("GET", "/volumes", ours)["Volumes"] or ():
        if _is_left(volume["Labels"]):
            remove(daemon, "volumes", volume["Name"])


def remove(daemon: Daemon, kind: str, name: str) -> None:
    """Remove a container, an image or a volume, where it is still there.

    Raises as `Daemon.ask`.
    """
    with suppress(ImageNotFound):
        query = {"force": "1", "v": "1"} if kind == "containers" else {"force": "1"}
        daemon.ask("DELETE", f"/{kind}/{name}", query, about=name)


def _filters(label: str) -> str:
    return json.dumps({"label": [label]})


def _is_left(labels: Mapping[str, Any] | None) -> bool:
    """Say whether the process that held the lock is gone; in doubt it is not."""
    labels = labels or {}
    path = Path(os.fsdecode(unquote_to_bytes(str(labels.get(LOCK, "")))))
    if labels.get(SYSTEM) != system() or not path.is_absolute():
        return False
    try:
        if str(path.lstat().st_ino) != labels.get(INODE):
            return True
        held = locks.attempt(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ImagesError):
        return False
    if held is None:
        return False
    held.release()
    return True


def system() -> str:
    """Name where a path means the same file and a lock the same process, for one user."""
    try:
        started = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        mounts = os.readlink("/proc/self/ns/mnt").strip("mnt:[]")
    except OSError:
        started, mounts = platform.node(), f"{uuid.getnode():x}"
    return f"{started}.{mounts}.{os.geteuid()}"
