"""What happens inside a verb, as lines: for logs and pipes. On a terminal see `bars`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from pytest_images.cli.terminal import draws
from pytest_images.errors import shown
from pytest_images.hookspecs import hookimpl
from pytest_images.model.progress import Phase

if TYPE_CHECKING:
    from pytest_images.cli.bars import Bars
    from pytest_images.images import Images
    from pytest_images.model.progress import Progress

SHORT = 12  # hexadecimal digits of a digest that are shown


class Words:
    """What one verb says of a layer, in Docker's words."""

    __slots__ = ("done", "exists", "loud", "moving", "started")

    def __init__(
        self, started: str, moving: str, done: tuple[str, ...], exists: str, *, loud: bool = True
    ) -> None:
        self.started, self.moving, self.done, self.exists = started, moving, done, exists
        self.loud = loud  # whether it says anything where nobody watches


PULL = Words(
    "Pulling fs layer", "Downloading", ("Download complete", "Pull complete"), "Already exists"
)
PUSH = Words("Preparing", "Pushing", ("Pushed",), "Layer already exists")
LOAD = Words("Waiting", "Loading layer", ("Loaded",), "Already exists", loud=False)


def told(words: Words, event: Progress) -> tuple[str, ...]:
    """Return the states that *event* brings its item into, none for one that only moves."""
    if event.phase in (Phase.STARTED, Phase.WAITING):
        return (words.started,)
    if event.phase is Phase.DONE:
        return words.done
    if event.phase is Phase.EXISTS:
        return (words.exists,)
    if event.phase is Phase.MOUNTED:
        return (f"Mounted from {shown(event.text)}" if event.text else "Mounted",)
    if event.phase is Phase.RETRYING:
        return (f"Retrying: {shown(event.text)}",)
    return (shown(event.text),) if event.phase is Phase.FAILED and event.text else ()


def is_shown(event: Progress) -> bool:
    """Whether *event* is about something that Docker has a line for: a layer."""
    return bool(event.item) and event.kind in ("", "layer")


def short(item: str) -> str:
    """Return how *item*, a digest or a text, is called on a line."""
    algorithm, colon, encoded = item.partition(":")
    is_digest = colon and algorithm in ("sha256", "sha512")
    return encoded[:SHORT] if is_digest else shown(item)


class Lines:
    """Prints a line a state, at once; an item's state is said once."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._lock = threading.Lock()
        self._said: set[tuple[str, str, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave nothing: every line was written when it was said."""

    def say(self, line: str) -> None:
        """Print *line*."""
        with self._lock:
            _print(line)

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        """Print what *event* says that was not said yet."""
        if not is_shown(event) or not self._words.loud:
            return
        with self._lock:
            for state in told(self._words, event):
                key = (event.subject, event.item, state)
                if key not in self._said:
                    self._said.add(key)
                    _print(f"{short(event.item)}: {state}")


def _print(line: str) -> None:
    print(line, flush=True)


class Silent(Lines):
    """Prints nothing: ``--quiet``."""

    def say(self, line: str) -> None:
        """Say nothing."""

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        """Say nothing."""


def reporter(words: Words, *, quiet: bool) -> Lines | Bars:
    """Choose how to show progress: not at all, as lines, or as bars where a person watches."""
    if quiet:
        return Silent(words)
    if not draws():
        return Lines(words)
    from pytest_images.cli.bars import Bars

    return Bars(words)
