"""What is under way is shown to who watches a terminal, and to nobody else."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples
from tests.faults.server import Fault, FaultRegistry
from tests.scenarios.test_background import PLAIN, PLUGINS, SUITE
from tests.screen import COLUMNS, Screen, screens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.scenarios.conftest import Aftermath


@pytest.fixture
def registry(pytester: pytest.Pytester) -> Iterator[FaultRegistry]:
    """A slow registry with an image `app:1` of three layers."""
    pytester.makeconftest(PLAIN)
    with FaultRegistry() as server:
        server.on("GET", "/blobs/", Fault(delay=1.0))
        yield server.serve(samples.image("slow", layers=3, size=200_000))


def shown(pytester: pytest.Pytester, *arguments: str, noise: str) -> tuple[Screen, list[str]]:
    """Run a suite on a terminal; return the last screen, and what stood below pytest's line."""
    screen, below = Screen(), []
    command = [sys.executable, "-m", "pytest", *PLUGINS, *arguments]
    for now in screens(command, pytester.path, screen):
        if now.below and now.below not in below:
            below.append(now.below)
            assert now.is_at_the_end, now.rows
            assert len(now.below) < COLUMNS
    assert not any(noise in row for row in screen.rows), screen.rows
    return screen, below


@pytest.mark.parametrize(
    "arguments",
    [(), ("-v",), ("-n", "2"), ("-n", "2", "-v"), ("--capture=sys",)],
    ids=["plain", "verbose", "workers", "workers verbose", "sys"],
)
def test_a_pull_is_shown_below_the_tests_and_gone_after_it(
    pytester: pytest.Pytester,
    registry: FaultRegistry,
    aftermath: Aftermath,
    arguments: tuple[str, ...],
) -> None:
    first = "print('theirs'); time.sleep(0.5)"
    pytester.makepyfile(SUITE.format(name=f"{registry}/app:1", first=first))
    screen, below = shown(pytester, *arguments, noise=f"pull {registry}")
    assert any(line.startswith(f"pull {registry}/app:1") for line in below), screen.rows
    assert any(re.search(r"app:1 \d+k?B/6\d\dkB", line) for line in below), below
    assert "theirs" not in "\n".join(screen.rows)
    assert any("2 passed" in row for row in screen.rows), screen.rows
    assert screen.below == ""
    assert aftermath.is_clean()


@pytest.mark.parametrize(
    "arguments", [("-q",), ("-s",), ("-o", "log_cli=true"), ("-p", "no:terminal")]
)
def test_where_pytest_is_quiet_or_others_write_nothing_is_shown(
    pytester: pytest.Pytester, registry: FaultRegistry, arguments: tuple[str, ...]
) -> None:
    pytester.makepyfile(SUITE.format(name=f"{registry}/app:1", first="pass"))
    _, below = shown(pytester, *arguments, noise="pull ")
    assert below == []


def test_the_step_of_a_build_is_shown(pytester: pytest.Pytester, aftermath: Aftermath) -> None:
    pytester.makeconftest(
        """
        import time
        from pytest_images import Phase, Progress, hookimpl

        @hookimpl(wrapper=True)
        def image_build(images, request):
            result = yield
            time.sleep(0.5)
            return result
        """
    )
    pytester.makepyfile(
        "from pytest_images import built\n"
        "app = built({'a': b'1'}, dockerfile_text='FROM scratch\\nCOPY a /', tags='app:1')\n"
        "def test_it(app): pass\n"
    )
    screen, below = shown(pytester, noise="build ")
    assert any(re.match(r"build app:1 #\d+ \S", line) for line in below), below
    assert any("1 passed" in row for row in screen.rows)
    assert aftermath.is_clean()


def test_what_a_worker_did_that_died_is_forgotten(
    pytester: pytest.Pytester, registry: FaultRegistry, aftermath: Aftermath
) -> None:
    registry.on("GET", "/blobs/", Fault(stall=True, cut=10))
    pytester.makepyfile(
        f"""
        import os, threading
        from pytest_images import hookimpl

        class Dies:
            @hookimpl
            def images_progress(self):
                threading.Timer(0.5, os.kill, (os.getpid(), 9)).start()

        def test_dies(images):
            with images.answering(Dies()):
                images.pull("{registry}/app:1")
        """
    )
    screen, below = shown(pytester, "-n", "1", noise=f"pull {registry}")
    assert any(line.startswith("pull ") for line in below)
    assert any("1 failed" in row for row in screen.rows), screen.rows
    assert aftermath.is_clean()


def test_an_interrupt_in_a_test_wipes_the_line(
    pytester: pytest.Pytester, registry: FaultRegistry, aftermath: Aftermath
) -> None:
    pytester.makepyfile(
        SUITE.format(
            name=f"{registry}/app:1",
            first="""
        import os, signal
        while not request.config.pluginmanager.get_plugin("images-live")._is_drawn:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)""",
        )
    )
    screen, below = shown(pytester, noise=f"pull {registry}")
    assert below
    assert any("KeyboardInterrupt" in row for row in screen.rows)
    assert aftermath.is_clean()
