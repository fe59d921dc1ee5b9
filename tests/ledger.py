"""What a refused or finished operation may leave behind: nothing.

`ledger` is asked before and after; it compares file descriptors, threads, children, the
folder of temporary files, and a canary file outside everything the test may touch.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import ImagesError

if TYPE_CHECKING:
    from collections.abc import Iterator

TIME_LIMIT = 5.0  # seconds in which a refusal must have come
MEMORY_LIMIT = 200 << 20  # bytes of resident memory that a refusal may add at its peak


@dataclass(slots=True)
class Ledger:
    """The account of one test: what was there before must be all there is after."""

    canary: Path
    temp: Path
    ignored_threads: tuple[str, ...] = ()
    before: dict[str, object] = field(default_factory=dict)

    def open(self) -> None:
        """Take the account before."""
        self.before = self._count()

    def close(self) -> None:
        """Compare with the account before; sockets and threads get a moment to end."""
        deadline = time.monotonic() + 20
        while (after := self._count()) != self.before and time.monotonic() < deadline:
            time.sleep(0.02)
        assert after == self.before, "something was left behind, or the canary was touched"

    def _count(self) -> dict[str, object]:
        gc.collect()
        names = [t.name for t in threading.enumerate() if not t.name.startswith("pytest")]
        return {
            "descriptors": _descriptors(),
            "threads": sorted(n for n in names if n not in self.ignored_threads),
            "children": _children(),
            "temporary files": sorted(path.name for path in self.temp.iterdir()),
            "canary": (self.canary.read_bytes(), self.canary.stat().st_mode),
        }


def _descriptors() -> list[str]:
    """What each open descriptor is, without those of the listing itself."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return []
    found = []
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):
            found.append(str(entry.readlink()))
    return sorted(name for name in found if not name.startswith("/proc/"))


def _children() -> list[str]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return sorted(path.read_text().split()) if path.exists() else []


def peak_memory() -> int:
    """The most resident memory this process ever had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextlib.contextmanager
def refused(kind: type[ImagesError], *words: str) -> Iterator[None]:
    """Expect the block to be REFUSED: the error's type, the words it names, in time and memory."""
    started, memory = time.monotonic(), peak_memory()
    with pytest.raises(kind) as caught:
        yield
    assert time.monotonic() - started < TIME_LIMIT, "the refusal took too long"
    assert peak_memory() - memory < MEMORY_LIMIT, "the refusal took too much memory"
    for word in words:
        assert word.lower() in str(caught.value).lower(), f"the error does not name {word!r}"
    assert str(caught.value).isprintable(), "the error repeats control characters"
