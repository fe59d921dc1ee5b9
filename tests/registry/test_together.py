from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from pytest_images.errors import InvalidResponse, Unreachable
from pytest_images.http.address import Address
from pytest_images.http.limits import Limits
from pytest_images.http.session import Request, Session
from pytest_images.registry.together import Cancelled, Together
from pytest_images.testing import samples
from tests.faults.server import Fault, FaultRegistry


def test_one_task_runs_in_the_callers_thread() -> None:
    threads: list[str] = []
    Together(3, "t").run([lambda: threads.append(threading.current_thread().name)])
    assert threads == [threading.current_thread().name]


def test_for_small_tasks_no_thread_is_started() -> None:
    threads: set[str] = set()

    def task() -> None:
        threads.add(threading.current_thread().name)

    Together(3, "t").run([task, task], small=1)
    assert threads == {threading.current_thread().name}


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


def test_an_answer_that_comes_after_all_was_given_up_is_not_waited_for() -> None:
    together, limits = Together(1, "t"), Limits(idle=60.0)
    with FaultRegistry() as registry, closing(Session(limits)) as session:
        registry.serve(samples.image("late")).on("GET", "/blobs/", Fault(cut=10, stall=True))
        blob = next(iter(registry.blobs))
        request = Request("GET", Address.parse(f"http://{registry}/v2/app/blobs/{blob}"))
        response = session.send(request)
        together.give_up()
        began = time.monotonic()
        with pytest.raises((Unreachable, InvalidResponse)):
            while together.opened(response).read_piece(100):
                pass
        together.finished(response)
        assert time.monotonic() - began < 30


def test_ctrl_c_ends_them_all() -> None:
    together = Together(2, "t")

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        together.run([interrupted, lambda: together.pause(30)])
    assert not [t for t in threading.enumerate() if t.name.startswith("t_")]
