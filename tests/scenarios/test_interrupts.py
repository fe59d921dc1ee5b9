"""A run that is stopped from outside leaves nothing, now or at the next run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scenarios.conftest import Aftermath

WAITS = """
    import pathlib, time
    from io import BytesIO
    import pytest
    from pytest_images.testing import samples

    @pytest.mark.parametrize("n", range({count}))
    def test_waits(images, image_registry, n):
        images.load(BytesIO(samples.image(str(n)).archive(f"made:{{n}}")))
        name = image_registry.reference("made:1")
        images.tag(f"made:{{n}}", name)
        images.push(name)
        pathlib.Path(f"ready-{{n}}").touch()
        time.sleep(60)
"""


def start(pytester: pytest.Pytester, *arguments: str, count: int = 1) -> subprocess.Popen[str]:
    """Start a run, and wait until its tests wait."""
    pytester.makepyfile(WAITS.format(count=count))
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=pytester.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not all((pytester.path / f"ready-{n}").exists() for n in range(count)):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "the run never got to its tests"
        time.sleep(0.02)
    return process


def end(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a run; return what it said."""
    return process.communicate(timeout=60)[0]


def test_one_interrupt_ends_with_2_and_leaves_nothing(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    """Y03, at fixed instants."""
    process = start(pytester)
    process.send_signal(signal.SIGINT)
    out = end(process)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "pytest_images/" not in out.replace("site-packages", "")
    assert "images: 1 pushed" in out
    assert aftermath.is_clean()


def test_an_interrupt_of_many_workers_leaves_nothing(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    process = start(pytester, "-n", "2", count=2)
    process.send_signal(signal.SIGINT)
    out = end(process)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, out
    assert aftermath.is_clean()


def test_many_interrupts_leave_a_store_that_the_next_run_cleans(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    process = start(pytester)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    out = end(process)
    assert "INTERNALERROR" not in out
    after_the_next_run(pytester)
    assert aftermath.is_clean()


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_killed_run_is_cleaned_by_the_next(
    pytester: pytest.Pytester, aftermath: Aftermath, death: signal.Signals
) -> None:
    """Y02."""
    process = start(pytester)
    process.send_signal(death)
    end(process)
    assert list((aftermath.home / "runs").iterdir()) != []
    after_the_next_run(pytester)
    assert aftermath.is_clean()


def test_workers_of_a_killed_controller_end_and_are_cleaned(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    """Y02."""
    process = start(pytester, "-n", "2", count=2)
    workers = children(process.pid)
    process.kill()
    end(process)
    for worker in workers:  # they may sit in a test; a CI job kills its whole group
        with_pid_gone(worker)
    after_the_next_run(pytester)
    assert aftermath.is_clean()


def test_a_second_run_beside_a_live_one_leaves_it_alone(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    """Y05."""
    process = start(pytester)
    after_the_next_run(pytester)
    assert len(list((aftermath.home / "runs").iterdir())) == 1
    process.send_signal(signal.SIGINT)
    end(process)
    assert aftermath.is_clean()


def after_the_next_run(pytester: pytest.Pytester) -> None:
    """Run a small suite that uses the store."""
    suite: Path = pytester.mkdir(f"next-{time.monotonic_ns()}") / "test_next.py"
    suite.write_text("def test_it(images): assert images.ls() == ()")
    result = pytester.runpytest_subprocess(str(suite), "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)


def children(pid: int) -> list[int]:
    """Give the child processes of *pid*."""
    out = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in out.stdout.split()]


def with_pid_gone(pid: int) -> None:
    """Kill a worker that is left over, and wait until it is gone."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("a worker did not end")
