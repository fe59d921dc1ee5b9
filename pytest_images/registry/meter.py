"""Progress of one operation, told a few times a second and never from inside a byte loop."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from pytest_images.model.media_types import CONFIGS
from pytest_images.model.progress import Phase, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.model.descriptor import Descriptor

INTERVAL = 0.2  # seconds between two events of one item


class Meter:
    """Tells *report* what happens to the items of one verb. Safe to use from threads."""

    def __init__(self, report: Callable[[Progress], None] | None, verb: str, subject: str) -> None:
        self._report, self.verb, self.subject = report, verb, subject

    def tell(
        self,
        item: str,
        phase: Phase,
        done: int = -1,
        total: int = -1,
        *,
        text: str = "",
        kind: str = "",
    ) -> None:
        """Report one event."""
        if self._report is not None:
            self._report(Progress(self.verb, self.subject, item, phase, done, total, text, kind))

    def blob(self, descriptor: Descriptor) -> ItemMeter:
        """Return the meter of one blob, a config or a layer."""
        kind = "config" if descriptor.media_type in CONFIGS else "layer"
        return ItemMeter(self, str(descriptor.digest), descriptor.size, kind)

    def retrying(self, text: str) -> None:
        """Report that something is asked again, and why."""
        self.tell("", Phase.RETRYING, text=text)


class ItemMeter:
    """Counts the bytes of one item, and reports them at most every `INTERVAL` seconds."""

    def __init__(self, meter: Meter, name: str, total: int, kind: str = "") -> None:
        self._meter, self._name, self._total, self._kind = meter, name, total, kind
        self._lock = threading.Lock()
        self._done = 0
        self._due = time.monotonic() + INTERVAL

    def phase(self, phase: Phase, text: str = "") -> None:
        """Report a change of phase."""
        done = self._total if phase in (Phase.DONE, Phase.EXISTS, Phase.MOUNTED) else self._done
        self._meter.tell(self._name, phase, done, self._total, text=text, kind=self._kind)

    def moved(self, count: int) -> None:
        """Add *count* bytes."""
        with self._lock:
            self._done += count
            now = time.monotonic()
            if now < self._due:
                return
            self._due = now + INTERVAL
        self.phase(Phase.MOVING)

    def back_to(self, done: int) -> None:
        """Set the count after a restart or resume."""
        with self._lock:
            self._done = done
