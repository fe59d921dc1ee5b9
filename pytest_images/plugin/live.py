"""Live progress: one line below pytest's own, while a terminal is watched and pytest is silent.

It goes to the terminal past the capture of output, and is wiped before pytest writes: the cursor
is always where pytest left it. Nothing is drawn into a file or a pipe.
"""

from __future__ import annotations

import os
import threading
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

NAME = "images-live"


def live_of(config: pytest.Config, *, is_begun: bool) -> Live | None:
    """Return the line of this process's terminal, registered with pytest.

    None where nobody watches, where pytest shall be quiet, and where others write to the
    terminal too: the tests (``-s``), live logs, another reporter. *is_begun*: tests run already.
    """
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    # By its module: the oldest pytest does not export the class.
    is_plain = type(reporter).__module__ == "_pytest.terminal" and reporter.isatty
    if not is_plain or os.environ.get("TERM", "dumb") == "dumb" or config.get_verbosity() < 0:
        return None
    if config.getoption("capture") == "no" or _logs_live(config):
        return None
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    with nullcontext() if capture is None else capture.global_and_fixture_disabled():
        descriptor = os.dup(1)
    live = Live(descriptor, config.get_terminal_writer(), is_begun=is_begun)
    config.pluginmanager.register(live, NAME)
    return live


def listen(live: Live, gateway: Any) -> Any:
    """Return a channel to a worker of xdist; what it sends through that is shown."""

    def hear(sent: tuple[str, str | None]) -> None:
        live.show(gateway.id, *sent)

    channel = gateway.newchannel()
    channel.setcallback(hear)
    return channel


def send(channel: Any, key: str, text: str | None) -> None:
    """Tell the controller what this worker is at; it may be gone."""
    with suppress(OSError):
        channel.send((key, text))


def _logs_live(config: pytest.Config) -> bool:
    if not config.pluginmanager.has_plugin("logging-plugin"):
        return False
    return bool(config.getini("log_cli")) or config.getoption("log_cli_level") is not None


class Live:
    """A pytest plugin that draws what `show` was told last, from whatever thread."""

    def __init__(self, descriptor: int, writer: Any, *, is_begun: bool) -> None:
        self._descriptor, self._writer = descriptor, writer
        self._lock = threading.Lock()
        self._texts: dict[tuple[str, str], str] = {}
        self._pauses = 0 if is_begun else 1
        self._is_begun, self._is_drawn = is_begun, False

    def show(self, who: str, key: str, text: str | None) -> None:
        """Show *text* as what *who* does under *key*; None: it is over."""
        with self._lock:
            if text is None:
                self._texts.pop((who, key), None)
            else:
                self._texts[who, key] = text
            self._draw()

    def forget(self, who: str) -> None:
        """Take out what a process did that is gone."""
        with self._lock:
            self._texts = {place: text for place, text in self._texts.items() if place[0] != who}
            self._draw()

    def close(self) -> None:
        """Wipe the line, for good. Safe when called twice."""
        with self._lock:
            self._texts.clear()
            self._draw()
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    # pytest writes in these hooks, and in no other while tests run.

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logstart(self) -> Generator[None, object, object]:
        """Make way; tests run from now on."""
        if not self._is_begun:
            self._is_begun, self._pauses = True, 0
        return (yield from self._pause())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self) -> Generator[None, object, object]:
        """Make way."""
        return (yield from self._pause())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logfinish(self) -> Generator[None, object, object]:
        """Make way."""
        return (yield from self._pause())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_exception_interact(self) -> Generator[None, object, object]:
        """Make way: a debugger may come."""
        return (yield from self._pause())

    @pytest.hookimpl(wrapper=True, tryfirst=True, optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> Generator[None, object, object]:
        """Make way, and forget what a worker did."""
        self.forget(node.gateway.id)
        return (yield from self._pause())

    @pytest.hookimpl(optionalhook=True)
    def pytest_enter_pdb(self) -> None:
        """Make way for a debugger in a test."""
        self._begin_pause()

    @pytest.hookimpl(optionalhook=True)
    def pytest_leave_pdb(self) -> None:
        """Go on after it."""
        self._end_pause()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """End: the rest is pytest's."""
        self.close()
        return (yield)

    def _pause(self) -> Generator[None, object, object]:
        self._begin_pause()
        try:
            return (yield)
        finally:
            self._end_pause()

    def _begin_pause(self) -> None:
        with self._lock:
            self._pauses += 1
            self._draw()

    def _end_pause(self) -> None:
        with self._lock:
            self._pauses -= 1
            self._draw()

    def _draw(self) -> None:
        """Bring the line to what it shall be; the lock is held."""
        text = "" if self._pauses else ", ".join(self._texts.values())
        if self._descriptor < 0 or not (text or self._is_drawn):
            return
        self._is_drawn = bool(text)
        width, column = self._writer.fullwidth, self._writer.width_of_current_line + 1
        room = width if text.isascii() else width // 2  # other letters may take two columns
        line = text if len(text) < room else f"{text[: room - 4]}..."
        with suppress(OSError):  # a terminal that was closed
            os.write(self._descriptor, f"\n\r\x1b[2K{line}\x1b[A\x1b[{column}G".encode())
