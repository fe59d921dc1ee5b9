"""The background fetch ends with its run, however that ends, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.host import Host
from pytest_images.testing import samples
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.peers import DockerRegistry
    from tests.scenarios.conftest import Aftermath

SUITE = """
    import pathlib, time
    from pytest_images import pulled

    app = pulled({name!r})

    def test_first(request):
        pathlib.Path("ready").touch()
        {first}

    def test_second(app): pass
"""


PLUGINS = ("-p", "no:cacheprovider", "-p", "no:randomly")
PLAIN = """
    from pytest_images import Endpoint, hookimpl

    @hookimpl
    def registry_endpoints(reference): return (Endpoint(reference.registry, "http"),)
"""


@pytest.fixture
def registry(pytester: pytest.Pytester) -> Iterator[FaultRegistry]:
    """A registry with an image `app:1` of three layers."""
    pytester.makeconftest(PLAIN)  # no handshake, which this server would wait for
    with FaultRegistry() as server:
        yield server.serve(samples.image("slow", layers=3, size=200_000))


def start(
    pytester: pytest.Pytester, registry: FaultRegistry, first: str, *arguments: str
) -> subprocess.Popen[str]:
    """Start a run whose first test does *first*; return when that and a download have begun."""
    pytester.makepyfile(SUITE.format(name=f"{registry}/app:1", first=first))
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *PLUGINS, *arguments],
        cwd=pytester.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not ((pytester.path / "ready").exists() and registry.asked("GET")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "the run never got to its tests"
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("path", ["/blobs/", "/manifests/"])
@pytest.mark.parametrize("first", ["time.sleep(60)", "pass"], ids=["unneeded", "waited for"])
def test_an_interrupt_ends_it(
    pytester: pytest.Pytester,
    registry: FaultRegistry,
    aftermath: Aftermath,
    path: str,
    first: str,
) -> None:
    registry.on("GET", path, Fault(cut=100, stall=True))
    process = start(pytester, registry, first)
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out = process.communicate(timeout=60)[0]
    assert process.returncode == pytest.ExitCode.INTERRUPTED, out
    assert time.monotonic() - began < 30
    assert "INTERNALERROR" not in out and "Exception in thread" not in out
    assert aftermath.is_clean()


def test_two_interrupts_leave_what_the_next_run_cleans(
    pytester: pytest.Pytester, registry: FaultRegistry, aftermath: Aftermath
) -> None:
    registry.on("GET", "/blobs/", Fault(cut=100, stall=True))
    process = start(pytester, registry, "time.sleep(60)")
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    out = process.communicate(timeout=60)[0]
    assert "INTERNALERROR" not in out
    pytester.makepyfile(test_next="def test_it(images): images.ls()")
    pytester.runpytest_subprocess("test_next.py").assert_outcomes(passed=1)
    assert aftermath.is_clean()


def test_a_run_that_stops_early_does_not_wait_for_it(
    pytester: pytest.Pytester, registry: FaultRegistry, aftermath: Aftermath
) -> None:
    registry.on("GET", "/blobs/", Fault(cut=100, stall=True))
    process = start(pytester, registry, "time.sleep(5); assert False", "-x")
    out = process.communicate(timeout=60)[0]
    assert process.returncode == pytest.ExitCode.TESTS_FAILED, out
    assert "not cleaned" not in out
    assert aftermath.is_clean()


def test_what_is_fetched_is_waited_for_and_asked_once(
    pytester: pytest.Pytester, registry: FaultRegistry, aftermath: Aftermath
) -> None:
    registry.on("GET", "/manifests/", Fault(delay=2.0), 1)
    process = start(pytester, registry, "pass")
    out = process.communicate(timeout=60)[0]
    assert process.returncode == pytest.ExitCode.OK, out
    assert len(registry.asked("GET", "/manifests/")) == 1
    assert len(registry.asked("GET", "/blobs/")) == 4
    assert aftermath.is_clean()


def test_a_worker_that_dies_while_it_fetches_hands_on(
    pytester: pytest.Pytester, registry: FaultRegistry, aftermath: Aftermath
) -> None:
    registry.on("GET", "/blobs/", Fault(delay=1.0))
    pytester.makepyfile(
        SUITE.format(name=f"{registry}/app:1", first="time.sleep(0.5)")
        + f"""
    def test_dies():
        import os, time
        time.sleep(0.3)
        os.kill(os.getpid(), {int(signal.SIGKILL)})

    def test_third(app): pass
    """
    )
    result = pytester.runpytest_subprocess("-n", "2", *PLUGINS)
    result.assert_outcomes(passed=3, failed=1)
    assert aftermath.is_clean()


def test_a_killed_run_is_swept_by_the_next(
    pytester: pytest.Pytester, registry: FaultRegistry, aftermath: Aftermath
) -> None:
    registry.on("GET", "/blobs/", Fault(cut=100, stall=True))
    process = start(pytester, registry, "time.sleep(60)")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    pytester.makepyfile(test_next="def test_it(images): images.ls()")
    pytester.runpytest_subprocess("test_next.py").assert_outcomes(passed=1)
    assert aftermath.is_clean()


IMPORTS = """
    import sys, threading
    seen = []

    def hear(event, details):
        if event == "import" and threading.current_thread().name.startswith("images-plan"):
            seen.append(details[0])

    sys.addaudithook(hear)
    def pytest_unconfigure(): print("\\nimported:", seen)
"""


@pytest.mark.peer("registry")
def test_its_threads_import_nothing(
    pytester: pytest.Pytester, registry: FaultRegistry, docker_registry: DockerRegistry
) -> None:
    """An interrupt can take Python's import lock along: they would wait for it for ever."""
    pytester.makeconftest(IMPORTS)
    name = f"{docker_registry}/imports-nothing/app:1"
    with Host(home=pytester.path / "publisher", load_entry_points=False) as host:
        host.images.load(BytesIO(samples.index(samples.image("here")).archive(name)))
        host.images.push(name)
    pytester.makepyfile(SUITE.format(name=name, first="time.sleep(1)"))
    result = pytester.runpytest_subprocess("-s", *PLUGINS)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["images: 1 pulled*", "imported: []"])
