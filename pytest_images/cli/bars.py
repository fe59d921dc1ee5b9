"""What happens inside a verb, as a bar a layer, for who watches a terminal."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn
from rich.progress import Progress as Display
from rich.text import Text

from pytest_images.cli.progress import is_shown, short, told
from pytest_images.hookspecs import hookimpl
from pytest_images.model.progress import Phase

if TYPE_CHECKING:
    from rich.progress import TaskID

    from pytest_images.cli.progress import Words
    from pytest_images.images import Images
    from pytest_images.model.progress import Progress

REDRAWS = 10  # a second


class Bars:
    """Draws a bar for each item while it is a context; the cursor is back when it ends."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._lock = threading.Lock()
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._display = Display(
            TextColumn("{task.description}:", markup=False),
            TextColumn("{task.fields[state]}", markup=False),
            BarColumn(bar_width=30),
            DownloadColumn(),
            console=self._console,
            refresh_per_second=REDRAWS,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._display.stop()

    def say(self, line: str) -> None:
        """Print *line* above the bars that move; those that are complete stay above it."""
        with self._lock:
            self._settle()
            self._console.print(Text(line), soft_wrap=True)

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        """Move the bar of the event's item."""
        if not is_shown(event):
            return
        states = told(self._words, event)
        state = states[-1] if states else self._words.moving
        is_over = event.phase in (Phase.DONE, Phase.EXISTS, Phase.MOUNTED)
        with self._lock:
            self._move(event, state, is_over=is_over)

    def _move(self, event: Progress, state: str, *, is_over: bool) -> None:
        task = self._tasks.get((event.subject, event.item))
        total = event.total if event.total >= 0 else None
        if task is None:
            task = self._display.add_task(short(event.item), total=total, state=state)
            self._tasks[event.subject, event.item] = task
        done = event.total if is_over else event.done
        self._display.update(task, total=total, state=state, completed=done if done >= 0 else None)

    def _settle(self) -> None:
        """Print the bars as they are and start anew, so that lines and bars keep their order."""
        if not self._tasks:
            return
        self._display.refresh()
        self._console.print(self._display.get_renderable())
        for task in self._tasks.values():
            self._display.remove_task(task)
        self._tasks.clear()
