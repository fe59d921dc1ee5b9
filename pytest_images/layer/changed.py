"""Files that may change while they are read."""

from __future__ import annotations

import os


class Changed(Exception):
    """A file became shorter, or another one, while it was read: what it was is not known."""

    def __init__(self, path: str = "", reason: str = "it changed while it was copied") -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def pread_whole(descriptor: int, size: int) -> bytes:
    """Return the first *size* bytes of a file, fewer where it has no more."""
    content = os.pread(descriptor, size, 0)
    while len(content) < size and (more := os.pread(descriptor, size, len(content))):
        content += more[: size - len(content)]
    return content
