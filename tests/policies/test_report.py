from __future__ import annotations

import pytest

from pytest_images.host import Host
from pytest_images.model.progress import Phase, Progress
from pytest_images.policies.report import Counts, Report, size
from tests.engines import Bringing, MemoryEngine


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0B"), (999, "999B"), (1000, "1kB"), (7_800_000, "7.8MB"), (123_456_789_000, "123GB")],
)
def test_bytes_are_shown_as_docker_does(count: int, text: str) -> None:
    assert size(count) == text


def test_what_nobody_did_is_not_said() -> None:
    assert str(Counts()) == ""
    assert str(Counts(pushed={"a"})) == "1 pushed"


def test_workers_add_up_to_one_run() -> None:
    total = Counts(pulled={"alpine"}, bytes=10)
    worker = Counts(found={"alpine", "busybox", "web"}, pushed={"app"}, bytes=5, cleaned=2)
    total.add(Counts.from_plain(worker.to_plain()))
    total.add(Counts(built={"web"}))
    assert str(total) == "1 pulled (15B), 1 from cache, 1 built, 1 pushed, 2 cleaned"


def test_a_pull_that_moves_bytes_is_told_from_one_that_does_not() -> None:
    report, name = Report(), "docker.io/library/{}:latest".format
    plugins = [report, Bringing(memory=MemoryEngine)]
    with Host(engine="memory", plugins=plugins, load_entry_points=False) as host:
        host.images.pull("cached")
        host.images.progress(Progress("pull", name("new"), "sha256:1", Phase.DONE, 100, 100))
        host.images.pull("new")
    assert report.counts.found == {name("cached")}
    assert report.counts.pulled == {name("new")}
    assert report.counts.bytes == 100
