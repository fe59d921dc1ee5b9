"""One process of tox, whose environments want the same images from threads of their own."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tox_images.needs import Needs
from tox_images.once import Once, result
from tox_images.preparation import NotPrepared, Preparation
from tox_images.settings import Settings

from pytest_images import BuildError, Host, hookimpl

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_images import Image


class Chosen(Settings):
    """Settings of a store in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counted = Counted()

    def make_host(self, run: str) -> Host:
        """Make a host that counts."""
        return Host(home=self.folder, run=run, plugins=[self.counted], load_entry_points=False)


class Counted:
    """Counts builds, and gives others time to ask for the same one."""

    def __init__(self) -> None:
        self.builds = 0

    @hookimpl(wrapper=True)
    def image_build(self) -> Generator[None, object, object]:
        self.builds += 1
        time.sleep(0.2)
        return (yield)


@pytest.fixture
def chosen(tmp_path: Path) -> Chosen:
    return Chosen(tmp_path / "store")


def needs(folder: Path, text: str) -> Needs:
    (folder / "Dockerfile").write_text(text)
    return Needs.read([], ["app:1 = ."], folder)


def meet(preparation: Preparation, wanted: Needs) -> dict[str, Image]:
    return preparation.meet(wanted, threading.Event())


def test_many_environments_build_once(tmp_path: Path, chosen: Chosen) -> None:
    preparation = Preparation(chosen)
    wanted = needs(tmp_path, "FROM scratch\nLABEL a=b\n")
    with ThreadPoolExecutor(8) as pool:
        met = list(pool.map(lambda _: meet(preparation, wanted), range(8)))
    assert chosen.counted.builds == 1
    assert len({images["APP"].id for images in met}) == 1


def test_a_failure_is_told_to_each_environment_and_tried_once(
    tmp_path: Path, chosen: Chosen
) -> None:
    preparation = Preparation(chosen)
    wanted = needs(tmp_path, "FROM scratch\nCOPY none /\n")
    for _ in range(2):
        with pytest.raises(NotPrepared, match="none"):
            meet(preparation, wanted)
    assert chosen.counted.builds == 1


def test_a_command_that_fails_is_told_with_its_log(tmp_path: Path) -> None:
    error = BuildError("Dockerfile", 3, "RUN false", 1, "#1 RUN false\n#1 no such thing\n")
    error.add_note("mend it")
    [(_, build)] = Needs.read([], ["app:1 = ."], tmp_path)
    assert str(NotPrepared(build, error)).splitlines() == [
        "app:1: Dockerfile:3: the command ended with status 1: RUN false",
        "  #1 RUN false",
        "  #1 no such thing",
        "  mend it",
    ]


def test_what_is_written_otherwise_is_built_for_itself(tmp_path: Path, chosen: Chosen) -> None:
    preparation = Preparation(chosen)
    needs(tmp_path, "FROM scratch\nARG V\nLABEL v=$V\n")
    one = Needs.read([], ["one = . --build-arg V=1"], tmp_path)
    two = Needs.read([], ["two = . --build-arg V=2"], tmp_path)
    assert meet(preparation, one)["ONE"].id != meet(preparation, two)["TWO"].id
    assert chosen.counted.builds == 2


def test_who_is_stopped_waits_no_longer() -> None:
    free, stopped = threading.Event(), threading.Event()
    once = Once[str, bool](lambda _: free.wait(60))
    future = once.ask("key")
    stopped.set()
    with pytest.raises(SystemExit):
        result(future, stopped)
    free.set()
    assert future.result(10)


def test_a_timeout_of_the_work_itself_is_told() -> None:
    def late(_: str) -> None:
        raise TimeoutError("late")

    with pytest.raises(TimeoutError, match="late"):
        result(Once[str, None](late).ask("key"), threading.Event())
