"""Each need is met once a process of tox, whichever environment asks first."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")
_GLANCE = 0.1  # seconds between two looks at whether it was interrupted


class Once(Generic[K, V]):
    """Calls a function once for each key, in a thread; all who ask get what it gave or raised."""

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: dict[K, Future[V]] = {}

    def ask(self, key: K) -> Future[V]:
        """Begin with *key*, if nobody has, and return what will have the answer."""
        with self._lock:
            future = self._made.get(key)
            if future is None:
                future = self._made[key] = Future()
                # A daemon: when tox is stopped, it does not wait for what nobody wants any more.
                threading.Thread(target=self._run, args=(key, future), daemon=True).start()
        return future

    def _run(self, key: K, future: Future[V]) -> None:
        try:
            future.set_result(self._make(key))
        except BaseException as error:  # noqa: BLE001, RUF100 - raised where it is asked for
            future.set_exception(error)

    def wait(self, seconds: float) -> None:
        """Wait so long for what was begun and is not finished."""
        from concurrent.futures import wait

        wait(list(self._made.values()), seconds)


def result(future: Future[V], stopped: threading.Event) -> V:
    """Return what *future* gives. Raises that, or SystemExit when it was stopped before."""
    while not stopped.is_set():
        try:
            return future.result(_GLANCE)
        except TimeoutError:
            if future.done():
                raise
    raise SystemExit(-2)  # as tox does for a command that it interrupts
