"""Images that the tests need, fetched in the background while the first tests run.

Of the processes of a run one fetches: the one that gets the plan's lock. The others, and tests
that come sooner, ask for themselves, as if there were no plan.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_images.errors import ImagesError
from pytest_images.model.digest import Digest
from pytest_images.plugin.needs import prepared

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from pytest_images.host.host import Host
    from pytest_images.plugin.needs import Need

NAME = "images-plan"  # of the threads
THREADS = 3  # images at once; each fetches several layers at once
_PATIENCE = 5.0  # seconds that the end of a run waits for the threads


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
        """Begin, where no other process has; returns at once, nothing is asked in this thread.

        What the other threads need is imported in this one: see `interrupts.delayed`.
        """
        try:
            claim = self._host.embedded.store.claim("plan", str(self._host.run))
        except ImagesError:  # what is wrong with the store is told to who uses it
            return
        if claim is not None:
            _import()
            thread = threading.Thread(target=self._lead, args=(claim,), name=NAME, daemon=True)
            self._threads.append(thread)
            thread.start()

    @property
    def is_this_thread(self) -> bool:
        """Whether it is this thread that fetches."""
        return threading.current_thread() in self._threads

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
        end = time.monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _lead(self, claim: AbstractContextManager[object]) -> None:
        """Fetch, with others; the claim is held meanwhile, and goes with the process."""
        with claim:
            others = [
                threading.Thread(target=self._work, name=f"{NAME}-{n}", daemon=True)
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


def _import() -> None:
    """Import what a pull is made of, and what it needs where a server asks it to wait."""
    import email.utils  # noqa: F401
    import encodings.idna  # noqa: F401
    import random  # noqa: F401

    import pytest_images.content.notes
    import pytest_images.content.rebuild
    import pytest_images.content.records
    import pytest_images.engine.inspect
    import pytest_images.engine.pull
    import pytest_images.engine.sizes
    import pytest_images.model.request.inspect
    import pytest_images.model.request.pull
    import pytest_images.registry.client
    import pytest_images.registry.resolve  # noqa: F401

    Digest.of(b"")  # it looks for the fastest module
