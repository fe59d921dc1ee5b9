"""The journal: what verbs did, for whom, how long it took, and what they said meanwhile."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pytest_images.model.progress import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_images.model.progress import Progress

LOG_LIMIT = 1000  # lines of one deed that are kept, the last ones
_TOLD = (Phase.STARTED, Phase.DONE, Phase.RETRYING, Phase.FAILED, Phase.NOTE)


@dataclass(slots=True)
class Deed:
    """One thing that a verb did: *subject* is what for, *owner* the test or fixture.

    *seconds* and *size* (bytes that came) are what it took; *names* are those it gave.
    """

    verb: str
    subject: str
    owner: str = ""
    seconds: float = 0.0
    size: int = 0
    names: list[str] = field(default_factory=list)
    error: str = ""
    log: list[str] = field(default_factory=list)

    def to_plain(self) -> dict[str, Any]:
        """Return numbers and texts, as xdist sends them."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `to_plain` gave."""
        return cls(**plain)

    def say(self, line: str) -> None:
        """Take one line of the log."""
        self.log.append(line)
        del self.log[:-LOG_LIMIT]


class Journal:
    """The deeds of one process; *owner* says for whom something is done just now."""

    def __init__(self, owner: Callable[[], str] = str) -> None:
        self.deeds: list[Deed] = []
        self._owner = owner
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], Deed] = {}

    @contextmanager
    def deed(self, verb: str, subject: str) -> Iterator[Deed]:
        """Write down what the block does."""
        deed = Deed(verb, subject, self._owner())
        began = time.monotonic()
        key = verb, subject
        with self._lock:
            self.deeds.append(deed)
            self._open[key] = deed
        try:
            yield deed
        except BaseException as error:
            deed.error = f"{type(error).__name__}: {error}"
            raise
        finally:
            deed.seconds = time.monotonic() - began
            with self._lock:
                if self._open.get(key) is deed:
                    del self._open[key]

    def use(self, name: str) -> None:
        """Write down that an image was found here."""
        deed = Deed("get", name, self._owner(), names=[name])
        with self._lock:
            self.deeds.append(deed)

    def hear(self, event: Progress) -> None:
        """Take what a verb says into the log of its deed."""
        deed = self._open.get((event.verb, event.subject))
        if deed is None or event.phase not in _TOLD:
            return
        if event.verb == "build":
            deed.say(event.text)  # it begins with the number of its step
            return
        is_fetched = event.phase == Phase.DONE and event.item and event.done > 0
        deed.size += event.done if is_fetched else 0
        words = (
            event.kind,
            event.item,
            str(event.phase),
            f"{event.done} bytes" if is_fetched else "",
            event.text,
        )
        deed.say(" ".join(filter(None, words)))
