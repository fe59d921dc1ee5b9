"""The log of a build: every step with what it printed, in order, bounded, told as it comes."""

from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LOG_LIMIT = 32 << 20  # characters of a whole build's log that are kept
_LINE_LIMIT = 64 << 10  # bytes of one line: a longer one is told in pieces


class BuildLog:
    """Lines, as BuildKit's plain progress has them: ``#3 0.102 text``. Used by many threads."""

    def __init__(self, tell: Callable[[str], None], secrets: Iterable[str] = ()) -> None:
        self._tell = tell
        self._secrets = [line for secret in secrets for line in secret.splitlines() if line.strip()]
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._size = 0
        self._count = 0

    def step(self, title: str) -> Step:
        """Begin a step."""
        with self._lock:
            self._count += 1
            number = self._count
        step = Step(self, number)
        step.say(title)
        return step

    def add(self, line: str) -> None:
        """Take one line; what it shows of a secret is hidden."""
        for secret in self._secrets:
            line = line.replace(secret, "***")
        with self._lock:
            self._size += len(line) + 1
            if self._size <= LOG_LIMIT:
                self._lines.append(line)
            self._tell(line)

    def __str__(self) -> str:
        with self._lock:
            text = "".join(f"{line}\n" for line in self._lines)
            left_out = self._size - len(text)
        return text + (f"[{left_out} more characters are left out]\n" if left_out > 0 else "")


class Step(io.RawIOBase):
    """One step of the log: a stream for what a command prints, and how it ended."""

    def __init__(self, log: BuildLog, number: int) -> None:
        self._log, self.number = log, number
        self._begun = time.monotonic()
        self._rest = b""
        self.tail: list[str] = []  # the last lines, for an error

    def say(self, text: str) -> None:
        """Add a line of our own."""
        self._log.add(f"#{self.number} {text}")

    def done(self) -> None:
        """Say that it is done, and how long it took."""
        self.flush_line()
        self.say(f"DONE {time.monotonic() - self._begun:.1f}s")

    def cached(self) -> None:
        """Say that it was done before."""
        self.say("CACHED")

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: object) -> int:
        """Take a piece of what a command prints."""
        piece = bytes(data)  # type: ignore[call-overload]  # whatever RawIOBase may be given
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LINE_LIMIT:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._printed(line)
        return len(piece)

    def flush_line(self) -> None:
        """Take what was printed without an end of line."""
        rest, self._rest = self._rest, b""
        if rest:
            self._printed(rest)

    def _printed(self, line: bytes) -> None:
        text = _safe(line.rstrip(b"\r").decode("utf-8", "replace"))
        self.tail = [*self.tail[-19:], text]
        self._log.add(f"#{self.number} {time.monotonic() - self._begun:.3f} {text}")


def _safe(text: str) -> str:
    """Return a line without what would speak to a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in text)
