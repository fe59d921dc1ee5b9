"""A run that is stopped from outside leaves nothing, now or at the next run."""

from __future__ import annotations

import os
import random
import re
import select
import signal
import subprocess
import sys
import time
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.host import Host
from pytest_images.plugin.interrupts import PATIENCE
from pytest_images.testing import samples
from tests.survival.harness import SEED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers import DockerRegistry
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
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509, RUF100 - under nohup it is ignored
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
    """Y03."""
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


BUSY = """
    import pytest
    from io import BytesIO
    from pytest_images import built, pulled, tagged
    from pytest_images.testing import samples

    base = pulled({name!r})
    app = built({{"a": b"x" * 1000}}, contexts={{"base": base}}, tags="app:1",
                dockerfile_text="FROM base\\nCOPY a /\\nCOPY a /b\\n")
    release = tagged(app, "release:1")

    def test_nothing(): pass

    @pytest.mark.parametrize("n", range(4))
    def test_travels(release, images, image_registry, n):
        name = image_registry.reference("made:1")
        images.tag(release, name)
        images.push(name)
        images.rm(name)
        images.pull(name)
        images.load(BytesIO(samples.image(str(n)).archive(f"made:{{n}}")))

    def test_scope(base, image_scope): image_scope.tag(base, "scoped:1")
"""
OURS = re.compile(r"(?<!site-packages/)pytest_images/")
ENDED = re.compile(r"^=.* in [0-9.]+s.*=$", re.MULTILINE)  # pytest's last line, of any run


@pytest.fixture
def base(pytester: pytest.Pytester, docker_registry: DockerRegistry) -> str:
    """The name of an image on a real registry."""
    name = f"{docker_registry}/interrupted/base:1"
    with Host(home=pytester.path / "publisher", load_entry_points=False) as host:
        sample = samples.image("interrupted", layers=4, size=200_000)
        host.images.load(BytesIO(sample.archive(name)))
        host.images.push(name)
    return name


@pytest.mark.peer("registry")
@pytest.mark.parametrize(
    ("count", "arguments"),
    [(1, ()), (2, ()), (3, ()), (1, ("-n", "2")), (2, ("-n", "2"))],
    ids=["once", "twice", "thrice", "once, workers", "twice, workers"],
)
def test_interrupts_at_any_instant_end_with_2_and_leave_nothing(  # noqa: PLR0917 - fixtures
    pytester: pytest.Pytester,
    base: str,
    aftermath: Aftermath,
    count: int,
    arguments: tuple[str, ...],
    pytestconfig: pytest.Config,
) -> None:
    """Y03."""
    seed = f"{SEED} {count} {arguments}"
    instants = random.Random(seed)
    points = 50 if pytestconfig.getoption("survival") else 3
    suite = str(pytester.makepyfile(BUSY.format(name=base)))  # not those of the next runs too
    first = "workers [" if arguments else "collected"
    span = 1.0  # seconds from the collection to the end, as the last run that ended took
    for _ in range(points):
        process = begin(pytester, first, suite, *arguments)
        began, instant = time.monotonic(), instants.uniform(0, span)
        time.sleep(instant)
        sent = [interrupt(process)]
        for _ in range(count - 1):
            time.sleep(instants.choice([0.001, 0.05, 0.2]))
            sent.append(interrupt(process))
        out = end(process)
        story = f"PYTEST_IMAGES_SEED={SEED}, {instant:.3f} s\n{out}"
        if not all(sent) or process.returncode == pytest.ExitCode.OK:
            span = min(span, time.monotonic() - began)
        elif "passed in" in out or "failed in" in out or (count > 1 and ENDED.search(out)):
            # pytest has ended, and Python has not
            assert process.returncode in (2, -signal.SIGINT, 1), story
        else:
            assert process.returncode == pytest.ExitCode.INTERRUPTED, story
        assert not OURS.search(out), story
        assert "INTERNALERROR" not in out and "not cleaned" not in out, story
        if count > 2:
            after_the_next_run(pytester)
        assert not aftermath.home.exists() or aftermath.is_clean(), story


def test_a_teardown_that_hangs_can_be_interrupted_after_a_while(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    pytester.makepyfile(
        """
        import pytest, time
        @pytest.fixture(scope="session")
        def hangs(images):
            yield
            print("tearing down", flush=True)
            time.sleep(100)
        def test_it(hangs):
            print("running", flush=True)
            time.sleep(100)
        """
    )
    process = begin(pytester, "running", "-s")
    began = time.monotonic()
    interrupt(process)
    hear(process, "tearing down")
    assert process.stdout is not None
    while not select.select([process.stdout], [], [], 0.5)[0]:  # until it goes on
        interrupt(process)
    assert PATIENCE < time.monotonic() - began < 50
    out = end(process)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, out
    assert aftermath.is_clean()


def begin(pytester: pytest.Pytester, word: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a run in a group of its own, as a shell does; wait until it says *word*."""
    plugins = ("no:cacheprovider", "no:randomly", "no:hypothesispytest")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pytest", *(f"-p{name}" for name in plugins), *arguments],
        cwd=pytester.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    hear(process, word)
    return process


def hear(process: subprocess.Popen[str], word: str) -> None:
    """Wait until a run says *word*."""
    said = ""
    assert process.stdout is not None
    while word not in said:
        line = process.stdout.readline()
        assert line, said
        said += line


def interrupt(process: subprocess.Popen[str]) -> bool:
    """Press Ctrl-C: all processes of the group get it. False: it is over."""
    try:
        os.killpg(process.pid, signal.SIGINT)
    except ProcessLookupError:
        return False
    return True


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
