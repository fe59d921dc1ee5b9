"""How much a write waits for the disk: everything (safe), or nothing (fast)."""

from __future__ import annotations

import os
import sys
import time
from enum import StrEnum
from pathlib import Path

from pytest_images.errors import InvalidConfiguration

SETTING = "PYTEST_IMAGES_DURABILITY"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Durability(StrEnum):
    """What an acknowledged change survives.

    ``SAFE`` (the default) survives a power cut. ``FAST`` is for throw-away CI disks: nothing is
    flushed, so a power cut may lose the newest names; content that did not reach the disk is
    found at the next open (see `unflushed`) and never served.
    """

    SAFE = "safe"
    FAST = "fast"

    @classmethod
    def chosen(cls, durability: Durability | None) -> Durability:
        """Return *durability*, or what ``$PYTEST_IMAGES_DURABILITY`` says, or SAFE."""
        if durability is not None:
            return cls(durability)
        text = os.environ.get(SETTING) or cls.SAFE.value
        try:
            return cls(text)
        except ValueError:
            error = InvalidConfiguration(SETTING, f'"{text}" is neither safe nor fast')
            error.add_note(f"Unset {SETTING}, or set it to safe or fast.")
            raise error from None

    def begin(self, descriptor: int, offset: int, count: int) -> None:
        """Let the system begin to write *count* bytes at *offset* to the disk; do not wait.

        What was begun while other bytes arrived, `flush` need not wait for. Only where the
        system has a call for it.
        """
        if self is Durability.SAFE and hasattr(os, "posix_fadvise"):
            # Linux starts to write dirty pages that are said not to be needed. They are dirty,
            # so they stay in memory meanwhile.
            os.posix_fadvise(descriptor, offset, count, os.POSIX_FADV_DONTNEED)

    def flush(self, descriptor: int) -> None:
        """Wait until a file's bytes are on the disk, if this durability asks for it."""
        if self is Durability.SAFE:
            flush(descriptor)

    def flush_folder(self, path: Path) -> None:
        """Wait until a folder's entries are on the disk, if this durability asks for it."""
        if self is Durability.SAFE:
            flush_folder(path)


def flush(descriptor: int) -> None:
    """Wait until a file's bytes are on the disk."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync alone stops at the drive's cache
    else:
        os.fsync(descriptor)


def flush_folder(path: Path) -> None:
    """Wait until the entries of a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def boot_id() -> str:
    """Return a text that is another one after the machine was started again.

    Where the system has no boot ID (macOS), the time of the start, to ten minutes: a wrong
    "another one" costs one verification, a wrong "the same" cannot happen within one start.
    """
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return f"started at {round((time.time() - time.monotonic()) / 600)}"
