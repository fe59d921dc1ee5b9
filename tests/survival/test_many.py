"""Stores with very many blobs and names: row S26."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.survival.harness import HERE

A_BLOB = 1 << 10  # bytes of memory that a check and a collection take for each
SMALL = 2_000, 200


def measured(folder: Path, blobs: int, names: int, timeout: float) -> dict[str, float]:
    words = [sys.executable, "-m", "tests.survival.many", str(folder), str(blobs), str(names)]
    done = subprocess.run(
        words,
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    took: dict[str, float] = json.loads(done.stdout)
    print(blobs, names, took)
    return took


def linear(folder: Path, blobs: int, names: int, timeout: float) -> None:
    small, large = measured(folder / "s", *SMALL, 60), measured(folder / "l", blobs, names, timeout)
    assert large["open"] < 0.2
    for what in ("fsck", "gc"):
        each, before = large[what] / blobs, small[what] / SMALL[0]
        assert each < 6 * before + 1e-4, f"{what}: {each * 1e6:.0f} us a blob, before {before}"
    assert large["memory"] - large["memory before"] < blobs * A_BLOB


def test_opening_is_at_once_and_checking_and_collecting_are_linear(tmp_path: Path) -> None:
    """S26: with twenty thousand blobs; the gate has a million."""
    linear(tmp_path, 20_000, 2_000, 120)


@pytest.mark.survival
def test_a_million_blobs_are_opened_at_once_and_checked_and_collected(tmp_path: Path) -> None:
    """S26."""
    linear(tmp_path, 1_000_000, 100_000, 3600)
