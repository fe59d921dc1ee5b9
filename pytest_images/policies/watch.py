"""Watch: what pulls, builds and pushes are at just now, as short texts that come and go."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_images.errors import shown
from pytest_images.hookspecs import hookimpl
from pytest_images.model.progress import Phase
from pytest_images.policies.report import size

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from pytest_images.images import Images
    from pytest_images.model.progress import Progress
    from pytest_images.model.request.build import BuildRequest
    from pytest_images.model.request.pull import PullRequest
    from pytest_images.model.request.push import PushRequest

    Tell = Callable[[str, str | None], None]

INTERVAL = 0.2  # seconds between two texts of one work, but for a step of a build


class Watch:
    """Tells *tell* of each work: a key and its text, at last the key and None."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._open: dict[tuple[str, str], _Work] = {}

    @hookimpl(wrapper=True)
    def image_pull(self, request: PullRequest) -> Generator[None, Any, Any]:
        """Watch a pull."""
        with self._doing("pull", str(request.reference), request.reference.familiar):
            return (yield)

    @hookimpl(wrapper=True)
    def image_push(self, request: PushRequest) -> Generator[None, Any, Any]:
        """Watch a push."""
        with self._doing("push", str(request.reference), request.reference.familiar):
            return (yield)

    @hookimpl(wrapper=True)
    def image_build(self, request: BuildRequest) -> Generator[None, Any, Any]:
        """Watch a build."""
        tag = request.tags[0] if request.tags else None
        with self._doing("build", str(tag or ""), "" if tag is None else tag.familiar):
            return (yield)

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        """Take in how far a work is."""
        work = self._open.get((event.verb, event.subject))
        if work is not None and work.hear(event):
            self._tell(work.key, str(work))

    @contextmanager
    def _doing(self, verb: str, subject: str, name: str) -> Iterator[None]:
        work = _Work(f"{verb} {subject}", f"{verb} {name}".rstrip())
        self._open[verb, subject] = work
        self._tell(work.key, str(work))
        try:
            yield
        finally:
            if self._open.get((verb, subject)) is work:  # another thread may do the same
                del self._open[verb, subject]
                self._tell(work.key, None)


class _Work:
    """One pull, push or build: the bytes of its items, or the step it is at."""

    def __init__(self, key: str, title: str) -> None:
        self.key, self._title = key, title
        self._step = ""
        self._items: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._due = 0.0

    def hear(self, event: Progress) -> bool:
        """Take in an event; say whether it is time to tell."""
        is_step = event.kind == "step" and event.phase is Phase.STARTED
        with self._lock:
            if is_step:
                self._step = shown(event.text)
            elif event.total >= 0:
                self._items[event.item] = max(event.done, 0), event.total
            now = time.monotonic()
            if now < self._due and not is_step:
                return False
            self._due = now + INTERVAL
            return True

    def __str__(self) -> str:
        with self._lock:
            done = sum(done for done, _ in self._items.values())
            total = sum(total for _, total in self._items.values())
        moved = f"{size(done)}/{size(total)}" if total else ""
        return " ".join(filter(None, (self._title, self._step, moved)))
