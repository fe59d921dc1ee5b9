"""Once: of the processes of a run that want one thing, one does the work and all are told.

A lock alone is not once: who gets it looks again. A failure is told to those that waited for it,
and for what is declared to each process of the run once; whoever asks again after that tries
again. Nothing of it outlives the run.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from pytest_images.errors import ImagesError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_images.content.notes import Notes
    from pytest_images.content.store import Store

T = TypeVar("T")


class Once:
    """What the processes of one run do once; *store* is that of the run."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._token = os.urandom(6).hex()
        self._thread = threading.local()

    def do(
        self,
        key: tuple[str, ...],
        look: Callable[[], T | None],
        work: Callable[[], T],
        *,
        declared: bool = False,
    ) -> T:
        """Return what *look* finds, or what *work* makes while all others wait.

        *declared*: all processes of the run want it by the same words, so that a failure
        counts for them all. Raises what *work* raises, here or in the process that did it.
        """
        __tracebackhide__ = True
        began = time.monotonic()
        found = look()
        if found is not None:
            return found
        store = self._store()
        with store.guard(*key):
            found = look()
            if found is not None:
                return found
            outcomes = store.outcomes()
            if outcomes is not None:
                self._raise_told(outcomes, key, began, declared=declared)
            try:
                return work()
            except ImagesError as error:
                if outcomes is not None and not self._is_background:
                    self._tell(outcomes, key, error)
                raise

    def note(self, text: str, *key: str) -> None:
        """Tell the other processes of the run what *key* came to, under its guard."""
        outcomes = self._store().outcomes()
        if outcomes is not None:
            outcomes.write({"text": text}, *key)

    def noted(self, *key: str) -> str | None:
        """Return what `note` told of *key* in this run."""
        outcomes = self._store().outcomes()
        return None if outcomes is None else outcomes.read(*key).get("text")

    @contextmanager
    def in_background(self) -> Iterator[None]:
        """Do work that nobody waits for: its failures count for nothing.

        It began before the fixtures of a suite were there, on which it may depend; who needs
        the work will do it again.
        """
        self._thread.is_background = True
        try:
            yield
        finally:
            self._thread.is_background = False

    @property
    def _is_background(self) -> bool:
        return getattr(self._thread, "is_background", False)

    def _tell(self, outcomes: Notes, key: tuple[str, ...], error: ImagesError) -> None:
        from pytest_images.host import error_text

        with suppress(ImagesError):  # a full disk: the others find out for themselves
            text = error_text.written(error)
            said = {"error": text, "at": time.monotonic(), "told": [self._token]}
            outcomes.write(said, *key)

    def _raise_told(
        self, outcomes: Notes, key: tuple[str, ...], began: float, *, declared: bool
    ) -> None:
        """Raise the failure of another, where it is news here."""
        __tracebackhide__ = True
        said = outcomes.read(*key)
        told = said.get("told", [])
        is_news = self._token not in told
        if "error" not in said or not is_news or not (declared or said["at"] >= began):
            return
        from pytest_images.host import error_text

        error = error_text.read(said["error"])
        if error is not None:
            outcomes.write({**said, "told": [*told, self._token]}, *key)
            raise error
