"""Several transfers at once: the first failure ends them all, and so does Ctrl-C."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from pytest_images.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_images.http.response import Response


_GLANCE = 0.05  # seconds between two looks whether all was given up
_PATIENCE = 2.0  # seconds for those that were given up; who waits for an answer may take longer


class Cancelled(Exception):
    """Another transfer failed: this one is not wanted any more."""


class Together:
    """Transfers that belong together. Threads live only while `run` does.

    Where all was given up, one that still waits for a server's first word is not waited for: it
    ends when that comes, or with the process.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._threads, self._name = threads, name
        self._lock = threading.Lock()
        self._open: set[Response] = set()
        self._cancelled = threading.Event()
        self._failures: list[BaseException] = []

    def run(self, tasks: Sequence[Callable[[], None]], small: int = 0) -> None:
        """Run all *tasks*, in this thread and beside it; raise the first failure.

        For *small* of them no thread is started: to begin one takes longer than they do.
        """
        waiting, threads = deque(tasks), []
        try:
            for number in range(1, min(self._threads, len(tasks) - small)):
                name = f"{self._name}-{number}"
                thread = threading.Thread(
                    target=self._work, args=(waiting,), name=name, daemon=True
                )
                thread.start()
                threads.append(thread)
            self._work(waiting)
        except BaseException:
            self.cancel()
            raise
        finally:
            self._await(threads)
        if self._failures:
            raise self._failures[0]

    def _await(self, threads: list[threading.Thread]) -> None:
        while any(thread.is_alive() for thread in threads) and not self._cancelled.is_set():
            for thread in threads:
                thread.join(_GLANCE)
        end = time.monotonic() + _PATIENCE
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _work(self, waiting: deque[Callable[[], None]]) -> None:
        """Do one task after the other, while nothing failed."""
        while not self._cancelled.is_set():
            try:
                task = waiting.popleft()
            except IndexError:
                return
            try:
                task()
            except Cancelled:
                return
            except BaseException as failure:  # noqa: BLE001, RUF100 - raised where `run` was called
                self._failures.append(failure)
                self.cancel()

    def cancel(self) -> None:
        """End all transfers now, also those that wait for bytes."""
        self._cancelled.set()
        with self._lock:
            waiting = list(self._open)
        for response in waiting:
            response.stop()

    def give_up(self) -> None:
        """End all transfers now, for a caller that wants none of them: `run` raises."""
        self._failures.append(Unreachable("registry", ["the client was closed"]))
        self.cancel()

    def opened(self, response: Response) -> Response:
        """Note an answer that is being read; return it.

        One that came when all was given up already ends at once: nobody else stops it.
        """
        with self._lock:
            self._open.add(response)
        if self._cancelled.is_set():
            response.stop()
        return response

    def finished(self, response: Response) -> None:
        """Let go of an answer."""
        with self._lock:
            self._open.discard(response)
        response.close()

    def check(self) -> None:
        """Raise `Cancelled` where the transfers were given up."""
        if self._cancelled.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Wait before another try, not longer than the transfers are wanted."""
        self._cancelled.wait(seconds)
        self.check()
