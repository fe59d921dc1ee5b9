"""Runs on machines where something is not as usual."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.scenarios.conftest import Aftermath

LOADS = """
    import os, shutil, threading
    from io import BytesIO
    from pytest_images.testing import samples

    def load(images, name):
        images.load(BytesIO(samples.image(name).archive(f"{name}:1")))
        assert images.exists(f"{name}:1")
"""


def test_the_folder_we_stand_in_is_deleted(pytester: pytest.Pytester, aftermath: Aftermath) -> None:
    """Y09."""
    pytester.makepyfile(
        LOADS
        + """
    def test_it(images, image_registry, tmp_path):
        os.chdir(tmp_path)
        shutil.rmtree(tmp_path)
        load(images, "app")
        os.chdir("/")
    """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    assert aftermath.is_clean()


def test_there_is_no_home(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Y09."""
    monkeypatch.delenv("PYTEST_IMAGES_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("HOME", raising=False)
    pytester.makepyfile(LOADS + "\n    def test_it(images): load(images, 'app')\n")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    assert (tmp_path / "cache" / "pytest-images" / "format").exists()


def test_the_store_cannot_be_made_and_the_error_says_where_and_what_to_do(
    pytester: pytest.Pytester, home: Path
) -> None:
    home.write_text("a file")
    pytester.makepyfile(LOADS + "\n    def test_it(images): load(images, 'app')\n")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E*Store*{home}*", "E*PYTEST_IMAGES_HOME*"])


def test_a_child_made_by_fork_ends_nothing_of_its_parents(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    """Y07, Y11."""
    pytester.makepyfile(
        LOADS
        + """
    def test_it(images, image_registry):
        load(images, "app")
        child = os.fork()
        if child == 0:
            here = images.exists("app:1")
            images._host.close()
            os._exit(0 if here else 1)
        assert os.waitpid(child, 0)[1] == 0
        load(images, "other")
        assert images.exists("app:1")
    """
    )
    pytester.runpytest_subprocess("-W", "ignore::DeprecationWarning").assert_outcomes(passed=1)
    assert aftermath.is_clean()


def test_threads_and_event_loops_share_one_session(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    """Y11."""
    pytester.makepyfile(
        LOADS
        + """
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    def test_threads(images):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: load(images, f"thread{n}"), range(16)))

    def test_loop(images):
        async def both():
            await asyncio.gather(*(asyncio.to_thread(load, images, f"loop{n}") for n in range(4)))
        asyncio.run(both())
    """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=2)
    assert aftermath.is_clean()


def test_two_runs_of_many_workers_share_one_store(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    """Y06."""
    pytester.makepyfile(
        LOADS
        + """
    import pytest

    @pytest.mark.parametrize("n", range(6))
    def test_it(images, n):
        load(images, "app" + str(os.getpid()))
        images.tag("app" + str(os.getpid()) + ":1", "app:test")
    """
    )
    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider"]
    runs = [
        subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert aftermath.is_clean()


def test_the_home_is_read_only(
    pytester: pytest.Pytester, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home.parent
    if os.geteuid() == 0:  # who may write almost anywhere
        if sys.platform != "linux":
            pytest.skip("root may write anywhere")
        home = Path("/sys/store")
        monkeypatch.setenv("PYTEST_IMAGES_HOME", str(home))
    pytester.makepyfile(LOADS + "\n    def test_it(images): load(images, 'app')\n")
    folder.chmod(0o500)
    result = pytester.runpytest_subprocess()
    folder.chmod(0o700)
    result.stdout.fnmatch_lines([f"E*Store*{home}*", "E*PYTEST_IMAGES_HOME*"])
