"""Ctrl-C at an instant at which it would do harm: it is held back for as long as that takes."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


PATIENCE = 3.0  # seconds; who presses Ctrl-C later than that does not want to wait


class Interrupts:
    """Holds Ctrl-C back from `hold` to `release`, where Python would raise it, for a while."""

    def __init__(self) -> None:
        self._came = self._holds = False
        self._since = 0.0

    def hold(self) -> None:
        """Begin, or begin anew, where a handler can be set and nobody else has set one."""
        self._since = time.monotonic()
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._holds = True
            signal.signal(signal.SIGINT, self._take)

    def release(self) -> bool:
        """End; say whether one came. Safe when called twice."""
        if self._holds:
            self._holds = False
            signal.signal(signal.SIGINT, signal.default_int_handler)
        came, self._came = self._came, False
        return came

    def _take(self, _signal: int, _frame: FrameType | None) -> None:
        self._came = True
        if time.monotonic() > self._since + PATIENCE:
            raise KeyboardInterrupt


@contextmanager
def delayed() -> Iterator[None]:
    """Raise KeyboardInterrupt after the block where it came in it.

    Python itself loses one that comes at a certain instant of an import, and its import lock
    with it: then all other threads wait for ever.
    """
    interrupts = Interrupts()
    interrupts.hold()
    try:
        yield
    finally:
        came = interrupts.release()
    if came:
        raise KeyboardInterrupt
