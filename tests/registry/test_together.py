from __future__ import annotations

import threading

import pytest

from pytest_images.errors import Unreachable
from pytest_images.registry.together import Cancelled, Together


def test_one_task_runs_in_the_callers_thread() -> None:
    threads: list[str] = []
    Together(3, "t").run([lambda: threads.append(threading.current_thread().name)])
    assert threads == [threading.current_thread().name]


def test_no_more_run_at_once_than_allowed() -> None:
    running, most = [0], [0]
    lock = threading.Lock()

    def task() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.01)
        with lock:
            running[0] -= 1

    Together(2, "t").run([task] * 10)
    assert most == [2]


def test_the_first_failure_ends_the_others() -> None:
    together = Together(2, "t")
    ended: list[str] = []

    def fails() -> None:
        raise Unreachable("one")

    def waits() -> None:
        try:
            together.pause(30)
        except Cancelled:
            ended.append("told")
            raise

    with pytest.raises(Unreachable, match="one"):
        together.run([waits, fails, waits, waits])
    assert ended == ["told"]


def test_ctrl_c_ends_them_all() -> None:
    together = Together(2, "t")

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        together.run([interrupted, lambda: together.pause(30)])
    assert not [t for t in threading.enumerate() if t.name.startswith("t_")]
