"""Images that the tests need, fetched in the background while the first tests run.

Of the processes of a run one fetches: the one that gets the plan's lock. The others, and tests
that come sooner, ask for themselves, as if there were no plan.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_images.plugin.needs import prepared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_images.host.host import Host
    from pytest_images.plugin.needs import Need

THREADS = 3  # images at once; each fetches several layers at once
_PATIENCE = 5.0  # seconds that the end of a run waits for a thread


class Background:
    """Fetches *needs*, in their order, from `start` on until `stop`."""

    def __init__(self, host: Host, needs: Iterable[Need]) -> None:
        self._host = host
        self._waiting = deque(needs)
        self._running: dict[tuple[str, ...], threading.Event] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._is_stopped = False

    def start(self) -> None:
        """Begin; returns at once: nothing is opened or asked in this thread."""
        thread = threading.Thread(target=self._lead, name="images-plan", daemon=True)
        self._threads.append(thread)
        thread.start()

    def make_way(self, key: tuple[str, ...]) -> None:
        """Wait for a need that is being fetched; one that is not begun is left to the caller."""
        with self._lock:
            running = self._running.get(key)
            if running is None:
                self._waiting = deque(need for need in self._waiting if need.key != key)
                return
        running.wait()

    def stop(self) -> None:
        """End: what nobody waits for any more is given up. Safe when called twice."""
        with self._lock:
            self._is_stopped = True
            self._waiting.clear()
            is_busy = bool(self._running)
        if is_busy:
            self._host.give_up()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _lead(self) -> None:
        """Fetch, where no other process does; the lock goes with the process."""
        with suppress(Exception):  # what is wrong with the store is told to who uses it
            held = self._host.embedded.store.claim("plan", str(self._host.run))
            if held is None:
                return
            with held:
                others = [
                    threading.Thread(target=self._work, name=f"images-plan-{n}", daemon=True)
                    for n in range(1, min(THREADS, len(self._waiting)))
                ]
                self._threads += others
                for thread in others:
                    thread.start()
                self._work()
                for thread in others:
                    thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._is_stopped or not self._waiting:
                    return
                need = self._waiting.popleft()
                done = self._running[need.key] = threading.Event()
            try:
                self._fetch(need)
            finally:
                with self._lock:
                    del self._running[need.key]
                done.set()

    def _fetch(self, need: Need) -> None:
        # Whatever it is, an override of the suite's that raises or a fixture's registry that is
        # not there yet: the test that needs the image asks again, and its user sees that.
        with suppress(Exception), self._host.once.in_background():
            prepared(self._host, self._host.images.at(need.place), need)
