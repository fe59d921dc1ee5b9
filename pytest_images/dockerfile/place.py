"""Where in a Dockerfile something stands."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_images.errors import InvalidDockerfile


@dataclass(frozen=True, slots=True)
class Place:
    """Lines *first* to *last* of the file *source*, counted from 1; *text* is them, joined.

    >>> print(Place("Dockerfile", 3, 3, "USR app").error("unknown instruction: USR"))
    Dockerfile:3: unknown instruction: USR: USR app
    """

    source: str
    first: int
    last: int
    text: str

    def error(self, reason: str, note: str = "") -> InvalidDockerfile:
        """Make the error that says what is wrong here, and with *note* what to do next."""
        error = InvalidDockerfile(self.source, self.first, self.text, reason)
        if note:
            error.add_note(note)
        return error


NOWHERE = Place("", 0, 0, "")
