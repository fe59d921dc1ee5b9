from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from pytest_images.server.leftovers import FRESH_SECONDS, PREFIX, sweep
from pytest_images.server.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KILLED = """
import os, signal
from pytest_images.server.registry import Registry
Registry().start()
os.kill(os.getpid(), signal.SIGKILL)
"""


def age(folder: Path) -> None:
    """Make *folder* look as if nothing happened in it for a while."""
    then = time.time() - FRESH_SECONDS - 1
    os.utime(folder, (then, then))


def left_by_a_killed_process(temp: Path) -> Path:
    command = [sys.executable, "-c", KILLED]
    done = subprocess.run(command, env=os.environ | {"TMPDIR": str(temp)}, check=False)
    assert done.returncode == -signal.SIGKILL
    [folder] = temp.iterdir()
    return folder


def test_the_next_registry_removes_what_a_killed_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = left_by_a_killed_process(tmp_path)
    age(left)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Registry():
        assert not left.exists()


def test_a_living_registry_stays_however_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Registry():
        [folder] = tmp_path.iterdir()
        age(folder)
        sweep(tmp_path)
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_what_is_just_being_made_stays(tmp_path: Path) -> None:
    fresh = tmp_path / f"{PREFIX}fresh"
    fresh.mkdir()
    sweep(tmp_path)
    assert fresh.is_dir()
    age(fresh)
    sweep(tmp_path)
    assert not fresh.exists()


def test_what_only_looks_like_ours_stays(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "canary").write_text("here")
    (tmp_path / f"{PREFIX}link").symlink_to(outside)
    (tmp_path / f"{PREFIX}file").write_text("a file")
    other = tmp_path / f"{PREFIX}other"
    other.mkdir()
    (other / "something").write_text("without a lock")
    age(other)
    sweep(tmp_path)
    assert (outside / "canary").read_text() == "here"
    assert (tmp_path / f"{PREFIX}link").is_symlink()
    assert (other / "something").exists()
