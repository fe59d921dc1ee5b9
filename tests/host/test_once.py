"""Once, as the processes of a run see it: here each is a host of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import ImageNotFound, ImagesError
from pytest_images.host import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_images.host.once import Once

KEY = ("need", "alpine")


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[list[Once]]:
    """Three processes of one run."""
    hosts = [Host(home=tmp_path / "store", run="run", load_entry_points=False) for _ in "123"]
    yield [host.once for host in hosts]
    for host in hosts:
        host.close()


def failing(calls: list[str]) -> Callable[[], str]:
    def work() -> str:
        calls.append("asked")
        error = ImageNotFound("alpine", "a registry")
        error.add_note("what to do")
        raise error

    return work


def nothing() -> None:
    return None


def test_what_is_found_is_not_done(processes: list[Once]) -> None:
    assert processes[0].do(KEY, lambda: "found", lambda: pytest.fail("done")) == "found"


def test_who_waited_looks_again(processes: list[Once]) -> None:
    made: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def look() -> str | None:
        return made[0] if made else None

    def work() -> str:
        begun.set()
        go_on.wait(10)
        made.append("made")
        return "made"

    first = threading.Thread(target=processes[0].do, args=(KEY, look, work))
    first.start()
    begun.wait(10)
    found: list[str] = []
    others = [
        threading.Thread(target=lambda one=one: found.append(one.do(KEY, look, work)))
        for one in processes[1:]
    ]
    for other in others:
        other.start()
    go_on.set()
    for thread in (first, *others):
        thread.join(20)
    assert (made, found) == (["made"], ["made", "made"])


def test_a_declared_failure_is_told_to_each_process_once(processes: list[Once]) -> None:
    calls: list[str] = []
    for one in processes:
        with pytest.raises(ImageNotFound, match="alpine") as caught:
            one.do(KEY, nothing, failing(calls), declared=True)
        assert caught.value.__notes__ == ["what to do"]
    assert calls == ["asked"]
    for one in processes:  # each has been told: who asks again, tries again
        with pytest.raises(ImageNotFound):
            one.do(KEY, nothing, failing(calls), declared=True)
    assert 1 < len(calls) <= 4


def test_a_failure_in_the_background_counts_for_nothing(processes: list[Once]) -> None:
    with processes[0].in_background(), pytest.raises(ImageNotFound):
        processes[0].do(KEY, nothing, failing([]), declared=True)
    for one in processes:
        assert one.do(KEY, nothing, lambda: "done", declared=True) == "done"


def test_a_failure_that_nobody_waited_for_is_not_told(processes: list[Once]) -> None:
    calls: list[str] = []
    for one in processes:
        with pytest.raises(ImageNotFound):
            one.do(KEY, nothing, failing(calls))
    assert calls == ["asked"] * 3


def test_a_failure_ends_with_the_run(processes: list[Once], tmp_path: Path) -> None:
    calls: list[str] = []
    with pytest.raises(ImageNotFound):
        processes[0].do(KEY, nothing, failing(calls), declared=True)
    with Host(home=tmp_path / "store", run="another", load_entry_points=False) as host:
        assert host.once.do(KEY, nothing, lambda: "done", declared=True) == "done"


def test_an_interrupt_is_no_failure(processes: list[Once]) -> None:
    def work() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        processes[0].do(KEY, nothing, work, declared=True)
    assert processes[1].do(KEY, nothing, lambda: "done", declared=True) == "done"


@pytest.mark.parametrize("text", ["", "no base85 \x01", "Mc(s+", 7])
def test_what_is_no_error_of_ours_is_not_believed(
    processes: list[Once], tmp_path: Path, text: object
) -> None:
    outcomes = processes[0]._store().outcomes()
    assert outcomes is not None
    outcomes.write({"error": text, "at": 0.0, "told": []}, *KEY)
    assert processes[1].do(KEY, nothing, lambda: "done", declared=True) == "done"


def test_an_error_that_would_run_something_is_not_believed(processes: list[Once]) -> None:
    import base64
    import pickle

    class Attack:
        def __reduce__(self) -> tuple[object, ...]:
            return print, ("ran",)

    outcomes = processes[0]._store().outcomes()
    assert outcomes is not None
    text = base64.b85encode(pickle.dumps(Attack())).decode()
    outcomes.write({"error": text, "at": 0.0, "told": []}, *KEY)
    assert processes[1].do(KEY, nothing, lambda: "done", declared=True) == "done"


def test_outside_of_a_run_nothing_is_told(tmp_path: Path) -> None:
    with Host(home=tmp_path / "store", load_entry_points=False) as host:
        host.once.note("text", *KEY)
        assert host.once.noted(*KEY) is None
        with pytest.raises(ImagesError):
            host.once.do(KEY, nothing, failing([]), declared=True)
        assert host.once.do(KEY, nothing, lambda: "done", declared=True) == "done"
