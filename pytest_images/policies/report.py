"""Report: counts what a run did, for the summary at its end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pytest_images.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from pytest_images.images import Images
    from pytest_images.model.image import Image, Pushed
    from pytest_images.model.progress import Progress
    from pytest_images.model.request.pull import PullRequest


@dataclass(slots=True)
class Counts:
    """What one process or a whole run did; names are sets, so workers add up to one run.

    ``bytes``: what was downloaded. ``cleaned``: names and images taken away at the end.
    """

    pulled: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    pushed: set[str] = field(default_factory=set)
    bytes: int = 0
    cleaned: int = 0

    def add(self, other: Counts) -> None:
        """Add what another process did."""
        self.pulled |= other.pulled
        self.found |= other.found
        self.pushed |= other.pushed
        self.bytes += other.bytes
        self.cleaned += other.cleaned

    def to_plain(self) -> dict[str, Any]:
        """Return lists and numbers, as xdist sends them."""
        names = {name: sorted(getattr(self, name)) for name in ("pulled", "found", "pushed")}
        return {**names, "bytes": self.bytes, "cleaned": self.cleaned}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `to_plain` gave."""
        names = {name: set(plain[name]) for name in ("pulled", "found", "pushed")}
        return cls(**names, bytes=plain["bytes"], cleaned=plain["cleaned"])

    def __str__(self) -> str:
        cached = len(self.found - self.pulled)
        parts = [
            (len(self.pulled), f"{len(self.pulled)} pulled ({size(self.bytes)})"),
            (cached, f"{cached} from cache"),
            (len(self.pushed), f"{len(self.pushed)} pushed"),
            (self.cleaned, f"{self.cleaned} cleaned"),
        ]
        return ", ".join(text for count, text in parts if count)


class Report:
    """Watches pulls, pushes and progress. What `Images.get` finds is told to it as progress."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._moved: set[str] = set()  # the names that something was downloaded for
        self._lock = threading.Lock()

    @hookimpl(wrapper=True)
    def image_pull(
        self, request: PullRequest
    ) -> Generator[None, tuple[Image, ...], tuple[Image, ...]]:
        """Count the names that were pulled, and those that had all they need here."""
        images = yield
        names = {str(image.reference or request.reference) for image in images or ()}
        with self._lock:
            self.counts.pulled |= names & self._moved
            self.counts.found |= names - self._moved
        return images

    @hookimpl(wrapper=True)
    def image_push(self) -> Generator[None, tuple[Pushed, ...], tuple[Pushed, ...]]:
        """Count the names that were pushed."""
        pushed = yield
        with self._lock:
            self.counts.pushed |= {str(one.reference) for one in pushed or ()}
        return pushed

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        """Add up the bytes of finished downloads, and what was here already."""
        with self._lock:
            if event.verb == "pull" and event.phase == "done" and event.item and event.done > 0:
                self.counts.bytes += event.done
                self._moved.add(event.subject)
            elif event.verb == "get" and event.phase == "exists":
                self.counts.found.add(event.subject)


def size(count: int) -> str:
    """Return *count* bytes for people, in powers of 1000 as Docker shows them.

    >>> size(7_800_000)
    '7.8MB'
    """
    number = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:.3g}TB"
