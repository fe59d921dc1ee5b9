"""What the sandbox of this machine was found to be, remembered for the next process.

Finding it out runs a program confined, which takes as long as a small step. What was found
stands in a small file under a name made of everything that could change it: the boot, the
namespaces and rights of this process, the kernel's switches, the runtimes. A step that fails
has it forgotten, so that a wrong memory lasts for one step.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.content.writing import replace_whole
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_images.sandbox.ids import Ids

_VERSION = 1  # another one when the same machine can be found to be another
_NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
_SWITCHES = (
    "/proc/sys/kernel/random/boot_id",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/sys/user/max_user_namespaces",
    "/proc/self/attr/current",
)
_RIGHTS = ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")


class Way(NamedTuple):
    """How a command is confined: by which runtime, () for none, and whether over an overlay."""

    runtime: tuple[str, ...]
    overlay: bool


class Memory:
    """What was found of *runtimes* by *who*, in a file of *folder*."""

    def __init__(self, folder: Path, who: Ids, runtimes: Iterable[str]) -> None:
        facts = [_VERSION, sys.executable, repr(who), folder.stat().st_dev, *_facts(runtimes)]
        name = hashlib.sha256(json.dumps(facts).encode("utf-8", "surrogateescape")).hexdigest()
        self._path = folder / f"sandbox-{name}"
        self._is_ours = _only_ours(folder)

    def recall(self) -> Way | None:
        """Return what was found before, None: nothing."""
        if not self._is_ours:
            return None
        try:
            runtime, overlay = json.loads(self._path.read_bytes())
            return Way(tuple(map(str, runtime)), bool(overlay))
        except (OSError, ValueError, TypeError):
            return None

    def note(self, way: Way) -> None:
        """Remember *way*. What cannot be written is not remembered."""
        if self._is_ours:
            with suppress(OSError):
                replace_whole(self._path, json.dumps(way).encode())

    def forget(self) -> None:
        """Let the next process find out anew."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _only_ours(folder: Path) -> bool:
    """Say whether nobody else can have put anything into *folder*."""
    info = folder.stat()
    return info.st_uid == os.geteuid() and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _facts(runtimes: Iterable[str]) -> Iterator[object]:
    yield from (_link(f"/proc/self/ns/{name}") for name in _NAMESPACES)
    yield from map(_text, _SWITCHES)
    yield [line for line in _text("/proc/self/status").splitlines() if line.startswith(_RIGHTS)]
    for runtime in runtimes:
        info = Path(runtime).stat()
        yield runtime, info.st_ino, info.st_size, info.st_mtime_ns


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
