"""Where in a Dockerfile something stands."""

from __future__ import annotations

from pytest_images.errors import BuildError, InvalidDockerfile
from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

_USERINFO = regex(r"(?<=://)[^/\s]*@")


def without_passwords(text: str) -> str:
    """Return *text* without who is in its URLs: fit for an error, a history, a log.

    >>> without_passwords("ADD https://me:secret@example.test/a /")
    'ADD https://example.test/a /'
    """
    return _USERINFO.sub("", text) if "@" in text else text


class Place(NamedTuple):
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
        text = without_passwords(self.text)
        error = InvalidDockerfile(self.source, self.first, text, without_passwords(reason))
        if note:
            error.add_note(note)
        return error

    def wants(self, what: Exception) -> None:
        """Note on an error that it is this line that wants it, unless the error names a line."""
        if isinstance(what, (BuildError, InvalidDockerfile)):
            return
        line = without_passwords(self.text.strip())
        what.add_note(f"it is wanted by {self.source}:{self.first}: {line}")


NOWHERE = Place("", 0, 0, "")
