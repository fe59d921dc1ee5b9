"""Drives the victim: builds the shim, sends points, says what each one left.

Seeded: the seed is printed, ``PYTEST_IMAGES_SEED`` sets it, and a failure names its point, so
that `Victim.point` alone shows it again.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.peers import peer

if TYPE_CHECKING:
    from types import TracebackType

HERE = Path(__file__).parent
SEED = int(os.environ.get("PYTEST_IMAGES_SEED") or time.time_ns() % 1_000_000)


def build_shim(folder: Path) -> Path:
    """Compile the shim; skips (or fails, where cc is required) without a compiler."""
    if sys.platform != "linux":
        pytest.skip("the shim knows Linux' file operations only")
    library = folder / "shim.so"
    words = ["-O1", "-shared", "-fPIC", "-o", str(library), str(HERE / "shim.c"), "-ldl"]
    command = [peer("cc"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return library


@dataclass(frozen=True, slots=True)
class Life:
    """What one point left: how many operations were counted, what was wrong afterwards."""

    points: int
    problem: str
    ended_by_fault: bool
    words: tuple[str, ...]


class Victim:
    """The forking process. *private*: in a mount namespace of its own, for power cuts."""

    def __init__(self, shim: Path, folder: Path, *, private: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._command = [sys.executable, "-m", "tests.survival.victim", str(folder)]
        if private:
            self._command = ["unshare", "--mount", "--propagation", "private", *self._command]
        self._env = {
            **os.environ,
            "LD_PRELOAD": str(shim),
            "SHIM": str(shim),
            "PYTHONPATH": str(HERE.parents[1]),
        }
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE.parents[1],
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def point(self, scenario: str, fault: str, at: int) -> Life:
        """Live the scenario with the fault at operation number *at*."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        name = f"tests.survival.scenarios.{scenario}" if "." not in scenario else scenario
        request = {"scenario": name, "fault": fault, "at": at}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the victim's parent died"
        said: dict[str, Any] = json.loads(line)
        return Life(
            said["points"],
            said.get("problem", ""),
            said.get("ended_by_fault", False),
            tuple(said.get("words", ())),
        )

    def survive(self, scenario: str, fault: str, *, sample: int | None) -> int:
        """Live through all points of a scenario, or a seeded *sample*; returns how many.

        Fails with every point that left something wrong behind.
        """
        count = "eio-read" if fault == "eio-read" else "count"
        first = self.point(scenario, count, 1 << 30)
        assert not first.problem, f"unharmed: {first.problem}"
        points = list(range(1, first.points + 1))
        if sample is not None and sample < len(points):
            points = sorted(random.Random(f"{SEED}{scenario}{fault}").sample(points, sample))
        failures, hits = [], 0
        for at in points:
            life = self.point(scenario, fault, at)
            hits += life.ended_by_fault
            if life.problem:
                failures.append(f"{scenario}, {fault} at {at} of {first.points}: {life.problem}")
        print(f"{scenario}: {fault} at {len(points)} of {first.points} points, {hits} hit")
        assert not failures, f"seed {SEED}\n" + "\n".join(failures)
        assert hits or fault in ("eio", "eio-read", "full"), "no fault was ever met"
        return len(points)
