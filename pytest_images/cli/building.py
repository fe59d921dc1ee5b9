"""How a build is shown: BuildKit's plain lines, steps that move on a terminal, or not at all."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Self

from pytest_images.cli.ending import complain
from pytest_images.cli.terminal import watched
from pytest_images.hookspecs import hookimpl
from pytest_images.model.progress import Phase
from pytest_images.regex import regex

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.live import Live

    from pytest_images.images import Images
    from pytest_images.model.progress import Progress

FORMS = ("auto", "plain", "tty", "quiet")
REDRAWS = 10  # a second
_SHOWN = 6  # lines of a running command that a terminal shows, as BuildKit does
_ECHO = len("^C")  # columns that are left free: at a full line it would move the drawing down
_TAIL = 20  # lines of a failed step that are shown again
_OVER = (Phase.DONE, Phase.EXISTS, Phase.FAILED)
_START = regex(r"#\d+ ")
_TIME = regex(r"\d+\.\d+ ")


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave nothing: nothing was shown."""


class PlainSteps(Quiet):
    """Prints every line on standard error, an empty one where another step goes on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = ""

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        """Print a line of the build."""
        if event.kind != "step":
            return
        with self._lock:
            gap = "\n" if self._last and self._last != event.item else ""
            self._last = event.item
            complain(gap + event.text)


class _Step:
    """One step, as a terminal shows it."""

    def __init__(self, title: str) -> None:
        self.title, self.begun, self.took = title, time.monotonic(), -1.0
        self.phase = Phase.STARTED
        self.lines: deque[str] = deque(maxlen=_SHOWN)

    @property
    def seconds(self) -> float:
        return self.took if self.took >= 0 else time.monotonic() - self.begun


class MovingSteps(Quiet):
    """Draws the steps with their times; the last lines of those that run are below them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[str, _Step] = {}
        self._begun = time.monotonic()
        self._is_over = False
        self._live: Live | None = None

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._live = Live(
            self,
            console=console,
            refresh_per_second=REDRAWS,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over = True
        if self._live is not None:
            self._live.stop()

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        """Take a line of the build; it is drawn a few times a second."""
        if event.kind != "step":
            return
        text = _START.sub("", event.text, count=1)
        with self._lock:
            if event.phase is Phase.STARTED:
                self._steps[event.item] = _Step(text)
                return
            step = self._steps[event.item]
            if event.phase in _OVER:
                step.took, step.phase = step.seconds, event.phase
            else:
                step.lines.append(_TIME.sub("", text, count=1))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw; what does not fit a screen that still moves is left out above."""
        from rich.text import Text

        with self._lock:
            lines = list(self._drawn(options.max_width - _ECHO))
        height = max(3, options.size.height - 1)
        if not self._is_over and len(lines) > height:
            lines = [lines[0], *lines[1 - height :]]
        for text, style in lines:
            yield Text(text, style, no_wrap=True, overflow="ellipsis")

    def _drawn(self, width: int) -> list[tuple[str, str]]:
        steps = self._steps.values()
        done = sum(step.phase in _OVER for step in steps)
        state = " FINISHED" if self._is_over and done == len(steps) else ""
        seconds = time.monotonic() - self._begun
        drawn = [(f"[+] Building {seconds:.1f}s ({done}/{len(steps)}){state}", "")]
        for step in steps:
            is_canceled = self._is_over and step.phase is Phase.STARTED
            mark = "CANCELED " if is_canceled else _MARKS.get(step.phase, "")
            title = f" => {mark}{step.title}"
            took = f"{step.seconds:.1f}s"
            room = max(1, width - len(took) - 1)
            title = title if len(title) <= room else f"{title[: room - 1]}…"
            drawn.append((f"{title:{room}} {took}", _STYLES.get(step.phase, "")))
            if step.phase is Phase.STARTED and step.title.startswith("[") and not self._is_over:
                drawn += [(f" => => # {line}", "dim") for line in step.lines]
        return drawn


_MARKS = {Phase.EXISTS: "CACHED ", Phase.FAILED: "ERROR "}
_STYLES = {Phase.DONE: "blue", Phase.EXISTS: "blue", Phase.FAILED: "red"}


def steps_shown(form: str) -> Quiet | PlainSteps | MovingSteps:
    """Choose how to show a build, one of `FORMS`."""
    if form == "quiet":
        return Quiet()
    if form == "plain" or (form == "auto" and not watched(sys.stderr)):
        return PlainSteps()
    return MovingSteps()


def failed_step(log: str) -> str:
    """Return the last lines of the step that failed, set as BuildKit sets them; "" for none."""
    lines = log.splitlines()
    failed = next((line for line in reversed(lines) if re.match(r"#\d+ ERROR: ", line)), "")
    start = failed.partition(" ")[0] + " "
    own = [line.removeprefix(start) for line in lines if line.startswith(start)] if failed else []
    if not own:
        return ""
    title, *printed = own[:-1] or own
    return "\n".join(("------", f" > {title}:", *printed[-_TAIL:], "------"))
