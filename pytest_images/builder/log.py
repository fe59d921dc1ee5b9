"""The log of a build: every step with what it printed, in order, bounded, told as it comes."""

from __future__ import annotations

import io
import threading
import time
from itertools import groupby
from typing import TYPE_CHECKING

from pytest_images.builder.hiding import Hiding, safe
from pytest_images.model.progress import Phase
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

LOG_LIMIT = 32 << 20  # bytes that a whole build's log takes in memory
STEP_LIMIT = 4 << 20  # bytes that the start of one step's output takes
TAIL = 64 << 10  # bytes of its end that are told too, where that is longer
_LINE_COST = 128  # bytes of memory that a line takes beside its text
_LINE_LIMIT = 64 << 10  # bytes of one line: a longer one is told in pieces


class Line(NamedTuple):
    """One line of a log, as BuildKit's plain progress has it: ``#3 0.102 text``.

    *step* is the number at its start; *phase* says where the step is from this line on.
    """

    step: int
    phase: Phase
    text: str


class BuildLog:
    """The lines of one build, secrets hidden by *hiding*.

    Used by many threads; *tell* hears each line at once.
    """

    def __init__(self, tell: Callable[[Line], None], hiding: Hiding) -> None:
        self._tell, self.hiding = tell, hiding
        self._lock = threading.Lock()
        self._lines: list[Line] = []
        self._size = 0
        self._left_out = 0
        self._steps: list[Step] = []

    def step(self, title: str) -> Step:
        """Begin a step."""
        with self._lock:
            step = Step(self, len(self._steps) + 1)
            self._steps.append(step)
        step.say(title, Phase.STARTED)
        return step

    def add(self, line: Line) -> None:
        """Take one line; what it shows of a secret is hidden."""
        line = line._replace(text=self.hiding.told(line.text))
        with self._lock:
            self._size += len(line.text) + _LINE_COST
            if self._size <= LOG_LIMIT:
                self._lines.append(line)
            else:
                self._left_out += len(line.text) + 1
            self._tell(line)

    def close(self) -> None:
        """Close the streams of all steps: a command that still writes to one is ended."""
        with self._lock:
            steps = list(self._steps)
        for step in steps:
            step.close()

    def __str__(self) -> str:
        with self._lock:
            lines, left_out = list(self._lines), self._left_out
        blocks = groupby(lines, key=lambda line: line.step)
        text = "\n".join("".join(f"{line.text}\n" for line in block) for _, block in blocks)
        return text + (f"[{left_out} more characters are left out]\n" if left_out > 0 else "")


class Step(io.RawIOBase):
    """One step of the log: a stream for what a command prints, and how it ended."""

    def __init__(self, log: BuildLog, number: int) -> None:
        self._log, self.number = log, number
        self._begun = time.monotonic()
        self._rest = b""
        self._room = STEP_LIMIT
        self._tail, self._left_out = b"", 0
        self._is_over = False

    def say(self, text: str, phase: Phase = Phase.NOTE) -> None:
        """Add a line of our own."""
        self._is_over = phase in (Phase.DONE, Phase.EXISTS, Phase.FAILED)
        self._log.add(Line(self.number, phase, f"#{self.number} {safe(text)}"))

    def done(self) -> None:
        """Say that it is done, and how long it took."""
        self.flush_line()
        self.say(f"DONE {time.monotonic() - self._begun:.1f}s", Phase.DONE)

    def cached(self) -> None:
        """Say that it was done before."""
        self.say("CACHED", Phase.EXISTS)

    def failed(self, reason: str) -> None:
        """Say why it failed, once; one whose stream was closed was ended for another's sake."""
        self.flush_line()
        if not self._is_over:
            self.say("CANCELED" if self.closed else f"ERROR: {reason}", Phase.FAILED)

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: object) -> int:
        """Take a piece of what a command prints."""
        piece = bytes(data)  # type: ignore[call-overload]  # whatever RawIOBase may be given
        if self._room <= 0:
            self._left_out += len(piece)
            self._tail = (self._tail + piece)[-TAIL:]
            return len(piece)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LINE_LIMIT:
            end = self._log.hiding.cut(self._rest)
            lines += [self._rest[:end]] * bool(end)
            self._rest = self._rest[end:]
        for line in lines:
            self._printed(line)
        return len(piece)

    def flush_line(self) -> None:
        """Take what was printed without an end of line."""
        rest, self._rest = self._rest, b""
        if rest:
            self._printed(rest)
        tail, self._tail = self._tail, b""
        if self._left_out > len(tail):
            tail = tail.partition(b"\n")[2]  # from the start of a line: a secret may begin there
            self.say(f"[{self._left_out - len(tail)} more bytes of output are left out]")
        for line in tail.splitlines():
            self._printed(line)

    def _printed(self, line: bytes) -> None:
        text = line.rstrip(b"\r").decode("utf-8", "replace")
        self._room -= len(text) + _LINE_COST
        self.say(f"{time.monotonic() - self._begun:.3f} {text}")
