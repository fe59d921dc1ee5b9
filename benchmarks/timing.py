"""Runs in alternation, medians and ratios, and the most memory a command took."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(slots=True)
class Runs:
    """What one contestant took: seconds, those of processors, bytes of memory of a command."""

    name: str
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)  # empty: others do the work
    memory: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do the work: *prepare* is not timed and its result is given to *act*.

    *is_served*: a daemon does the work, whose processor time is not known here.
    """

    name: str
    prepare: Callable[[], Any]
    act: Callable[[Any], int]
    is_served: bool = False


def alternate(contestants: Sequence[Contestant], rounds: int) -> list[Runs]:
    """Time each contestant *rounds* times, in turn, after one round that does not count."""
    runs = [Runs(contestant.name) for contestant in contestants]
    for number in range(rounds + 1):
        for run, contestant in zip(runs, contestants, strict=True):
            prepared = contestant.prepare()
            os.sync()
            started, busy = time.perf_counter(), _processor()
            memory = contestant.act(prepared)
            if number:
                run.seconds.append(time.perf_counter() - started)
                if not contestant.is_served:
                    run.processor.append(_processor() - busy)
            run.memory = max(run.memory, memory)
    return runs


def _processor() -> float:
    """Return the seconds that this process and the commands it waited for were on processors."""
    return sum(os.times()[:4])


def command(*words: object, env: dict[str, str] | None = None) -> int:
    """Run a command to its end; return its peak memory in bytes. A failure ends the benchmark."""
    settings = os.environ | (env or {})
    settings.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's second start finds compiled modules
    process = subprocess.Popen(
        [str(word) for word in words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=settings,
    )
    watch = _Peak(process.pid)
    watch.start()
    errors = process.communicate()[1]
    if process.returncode:
        raise SystemExit(f"{words} failed: {errors.decode(errors='replace')}")
    return watch.bytes


class _Peak(threading.Thread):
    """Reads a process's high-water mark until it ends (what wait4 tells includes its parent's)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self.bytes = 0

    def run(self) -> None:
        with contextlib.suppress(OSError, IndexError):
            while True:
                text = self._status.read_text()
                self.bytes = int(text.partition("VmHWM:")[2].split()[0]) * 1024
                time.sleep(0.02)


def table(title: str, runs: Sequence[Runs], against: str | None = None) -> None:
    """Print medians, the ratio of each to the contestant called *against*, processor time."""
    print(f"\n{title:47} {'(least-most)':>19} {'ratio':>10} {'processor':>10} {'memory':>10}")
    base = next((run.median for run in runs if run.name == against), None)
    for run in runs:
        ratio = f"{run.median / base:8.2f} x" if base else ""
        memory = f"{run.memory / 1e6:7.0f} MB" if run.memory else ""
        spread = f"({min(run.seconds):.3f}-{max(run.seconds):.3f})"
        busy = f"{statistics.median(run.processor):8.3f} s" if run.processor else ""
        print(
            f"  {run.name:34} {run.median:9.4f} s {spread:>17} {ratio:>10} {busy:>10} {memory:>10}"
        )
    sys.stdout.flush()
