"""Several transfers at once: the first failure ends them all, and so does Ctrl-C."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_images.http.response import Response


class Cancelled(Exception):
    """Another transfer failed: this one is not wanted any more."""


class Together:
    """Transfers that belong together. Threads live only while `run` does."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads, self._name = threads, name
        self._lock = threading.Lock()
        self._open: set[Response] = set()
        self._cancelled = threading.Event()

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        """Run all *tasks*, in this thread if it is but one; raise the first failure."""
        if len(tasks) == 1:
            tasks[0]()
            return
        pool = ThreadPoolExecutor(min(self._threads, len(tasks)), thread_name_prefix=self._name)
        running: list[Future[None]] = []
        try:
            running = [pool.submit(task) for task in tasks]
            wait(running, return_when=FIRST_EXCEPTION)
            if _failures(running):
                self.cancel()
        except BaseException:
            self.cancel()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        for failure in _failures(running):
            raise failure

    def cancel(self) -> None:
        """End all transfers now, also those that wait for bytes."""
        self._cancelled.set()
        with self._lock:
            waiting = list(self._open)
        for response in waiting:
            response.stop()

    def opened(self, response: Response) -> Response:
        """Note an answer that is being read; return it."""
        with self._lock:
            self._open.add(response)
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


def _failures(running: Sequence[Future[None]]) -> list[BaseException]:
    """Return what the ended tasks raised, without those that were only told to stop."""
    ended = [future for future in running if future.done() and not future.cancelled()]
    raised = [failure for future in ended if (failure := future.exception()) is not None]
    return [failure for failure in raised if not isinstance(failure, Cancelled)]
