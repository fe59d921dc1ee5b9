"""A disk that is really full, and one that cannot be written at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.conftest import require_sandbox
from tests.survival.harness import HERE


def in_namespace(module: str, *words: str) -> None:
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m"]
    done = subprocess.run(
        [*command, f"tests.survival.{module}", *words],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.peer("root")
@pytest.mark.parametrize(
    "options", ["size=1m", "size=2m", "size=4m", "size=32m,nr_inodes=120", "size=1m,nr_inodes=150"]
)
def test_on_a_full_disk_reading_deleting_and_collecting_work(tmp_path: Path, options: str) -> None:
    """S05."""
    in_namespace("full_disk", str(tmp_path), options)


@pytest.mark.peer("root")
@pytest.mark.parametrize(
    ("options", "command"),
    [
        ("size=48m", "cat /dev/zero > /big"),
        ("size=48m,nr_inodes=2000", "i=0; while mkdir /$i; do i=$((i+1)); done; exit 1"),
    ],
)
def test_a_command_that_fills_the_disk_fails_and_leaves_it_free(
    tmp_path: Path, options: str, command: str
) -> None:
    """X14."""
    require_sandbox(tmp_path)
    in_namespace("full_disk_build", str(tmp_path), options, command)


@pytest.mark.peer("root")
def test_a_read_only_store_is_read(tmp_path: Path) -> None:
    """S08."""
    in_namespace("read_only", str(tmp_path))
