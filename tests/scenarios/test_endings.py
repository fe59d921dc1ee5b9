"""A run that ends early, or by a timeout, is torn down once, and nothing is left."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from tests.scenarios.conftest import Aftermath

COUNTS = """
    import os, pathlib
    from io import BytesIO
    import pytest
    from pytest_images import Endpoint, hookimpl, tagged
    from pytest_images.testing import samples

    def tell(what):
        with open("told", "a") as file:
            file.write(f"{os.getpid()} {what}\\n")

    @hookimpl
    def images_configure(): tell("configure")

    @hookimpl
    def images_unconfigure(): tell("unconfigure")

    @hookimpl
    def registry_endpoints(reference): return (Endpoint(reference.registry, "http"),)

    @pytest.fixture(scope="session")
    def made(images):
        tell("set up")
        [loaded] = images.load(BytesIO(samples.image("made").archive("made:1")))
        yield loaded.image
        assert images.exists("made:1")
        tell("torn down")

    named = tagged(made, "named:1")
"""
FAILS = """
    import pytest, time

    @pytest.mark.parametrize("n", range(12))
    def test_it(named, image_scope, image_registry, n):
        image_scope.tag(named, f"scoped:{n}")
        time.sleep(0.1)
        assert n != 2
"""
HANGS = """
    import pytest, time

    def test_first(named): pass

    @pytest.mark.timeout(2, method="{method}", func_only=True)
    def test_hangs(named, images):
        {hangs}

    def test_last(named): pass
"""


def told(pytester: pytest.Pytester) -> Counter[str]:
    """What was told by the processes of the run; none tells anything twice."""
    lines = (pytester.path / "told").read_text().splitlines()
    assert max(Counter(lines).values()) == 1, lines
    return Counter(line.partition(" ")[2] for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-x",),
        ("--maxfail=1",),
        ("--exitfirst", "-n", "4"),
        ("--maxfail=2", "-n", "2", "--dist=each"),
        ("-x", "--images-keep=failed"),
    ],
    ids=" ".join,
)
def test_a_run_that_ends_early_is_torn_down_once(
    pytester: pytest.Pytester, aftermath: Aftermath, arguments: tuple[str, ...]
) -> None:
    """Y04."""
    pytester.makeconftest(COUNTS)
    pytester.makepyfile(FAILS)
    result = pytester.runpytest_subprocess(*arguments, "-p", "no:randomly")
    assert result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    result.stdout.fnmatch_lines(["*stopping after*"])
    result.stdout.no_fnmatch_line("*not cleaned*")
    seen = told(pytester)
    assert seen["set up"] == seen["torn down"] >= 1
    assert seen["configure"] == seen["unconfigure"] >= 1
    if "--images-keep=failed" not in arguments:
        assert aftermath.is_clean()


def test_a_session_that_is_ended_twice_ends_once(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    """Y04: as a plugin does that calls the hooks of the end itself."""
    pytester.makeconftest(
        COUNTS
        + """
    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(session, exitstatus):
        ours = session.config.pluginmanager.get_plugin("images-session")
        if not hasattr(session, "again"):
            session.again = True
            session.config.hook.pytest_sessionfinish(session=session, exitstatus=exitstatus)
        ours.pytest_unconfigure()
    """
    )
    pytester.makepyfile(FAILS)
    result = pytester.runpytest_subprocess("-x", "-p", "no:randomly")
    assert result.ret == pytest.ExitCode.TESTS_FAILED, result.stdout.str()
    seen = told(pytester)
    assert seen == {"configure": 1, "set up": 1, "torn down": 1, "unconfigure": 1}
    assert aftermath.is_clean()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
@pytest.mark.parametrize("where", ["in the test", "in a pull"])
@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_test_that_takes_too_long_leaves_nothing(
    pytester: pytest.Pytester,
    aftermath: Aftermath,
    method: str,
    where: str,
    workers: tuple[str, ...],
) -> None:
    """Y04: pytest-timeout fails the test, or ends the process; then the next run clears it."""
    pytester.makeconftest(COUNTS)
    with FaultRegistry() as registry:
        registry.serve(samples.image("slow", layers=2, size=200_000))
        registry.on("GET", "/blobs/", Fault(cut=100, stall=True))
        hangs = f"images.pull('{registry}/app:1')" if where == "in a pull" else "time.sleep(60)"
        pytester.makepyfile(HANGS.format(hangs=hangs, method=method))
        result = pytester.runpytest_subprocess(*workers, "-p", "no:randomly")
    seen = told(pytester)
    if method == "signal":
        result.assert_outcomes(passed=2, failed=1)
        assert seen["set up"] == seen["torn down"]
        assert aftermath.is_clean()
    elif workers:
        result.assert_outcomes(passed=2, failed=1)
        assert seen["set up"] == seen["torn down"] + 1
        assert aftermath.is_clean()
    else:
        assert seen["torn down"] == 0
        assert "Timeout" in result.stdout.str() + result.stderr.str()
    pytester.makepyfile(test_next="def test_it(images): assert images.ls() == ()")
    pytester.runpytest_subprocess("test_next.py").assert_outcomes(passed=1)
    assert aftermath.is_clean()
