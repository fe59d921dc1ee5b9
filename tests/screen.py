"""A terminal as a test sees it: a pseudo-terminal, and what stands on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ROWS, COLUMNS = 24, 80
_TOKEN = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|\r|\n|\x08|[^\x1b\r\n\x08]+")


class Screen:
    """Rows of text and a cursor; understands what pytest and we write, and scrolls."""

    def __init__(self) -> None:
        self.rows = [""]
        self.row = self.column = 0

    def write(self, text: str) -> None:
        """Take what a program wrote. Sequences must be whole."""
        for match in _TOKEN.finditer(text):
            token, number, letter = match[0], match[1], match[2]
            if token == "\r":
                self.column = 0
            elif token == "\n":
                self.row += 1
                self.rows += [""] * (self.row + 1 - len(self.rows))
            elif letter == "A":
                self.row -= int(number or 1)
            elif letter == "G":
                self.column = int(number or 1) - 1
            elif letter == "K":
                self.rows[self.row] = "" if number == "2" else self._before
            elif letter is None and token != "\x08":
                after = self.rows[self.row][self.column + len(token) :]
                self.rows[self.row] = self._before + token + after
                self.column += len(token)

    @property
    def _before(self) -> str:
        return self.rows[self.row][: self.column].ljust(self.column)

    @property
    def below(self) -> str:
        """What stands below the line of the cursor."""
        return "\n".join(self.rows[self.row + 1 :])

    @property
    def is_at_the_end(self) -> bool:
        """Whether the cursor is where the text of its line ends."""
        return self.column == len(self.rows[self.row])


def screens(
    command: Sequence[str], folder: Path, screen: Screen, **environment: str
) -> Iterator[Screen]:
    """Run a program on a terminal; give its screen after each of its writes."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm", **environment}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        rest = b""
        while True:
            try:
                sent = os.read(ours, 65536)
            except OSError:  # the program has ended
                break
            if not sent:
                break
            whole, escape, begun = (rest + sent).rpartition(b"\x1b")
            is_whole = not escape or re.match(rb"\[[0-9;]*[A-Za-z]", begun)
            rest = b"" if is_whole else escape + begun
            screen.write((whole + escape + begun if is_whole else whole).decode())
            yield screen
        os.close(ours)
