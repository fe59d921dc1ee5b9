"""An answer, and how its head is written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.server.refusal import Refusal

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905 - one line
_PHRASES = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}
# The first is how Docker's tools know a registry; the second keeps browsers from guessing.
_ALWAYS = "Docker-Distribution-Api-Version: registry/2.0\r\nX-Content-Type-Options: nosniff\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(slots=True)
class FilePart:
    """*count* bytes at *offset* of an open file; whoever sends it closes it."""

    descriptor: int
    offset: int
    count: int


@dataclass(slots=True)
class Response:
    """Status, headers and a body in memory or in a file."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | FilePart = b""
    close: bool = False

    @property
    def length(self) -> int:
        """The body's length in bytes."""
        return self.body.count if isinstance(self.body, FilePart) else len(self.body)

    def head(self, keep_alive: bool) -> bytes:
        """Write the status line and headers, with the empty line that ends them."""
        parts = [
            f"HTTP/1.1 {self.status} {_PHRASES[self.status]}\r\n",
            _date(int(time.time())),
            _ALWAYS,
        ]
        parts += [f"{name}: {value}\r\n" for name, value in self.headers]
        if self.status != 204:
            parts.append(f"Content-Length: {self.length}\r\n")
        parts.append("\r\n" if keep_alive else "Connection: close\r\n\r\n")
        return "".join(parts).encode("latin-1")


def as_json(status: int, document: object, headers: Sequence[tuple[str, str]] = ()) -> Response:
    """An answer whose body is *document*."""
    import json

    body = json.dumps(document).encode("ascii")
    return Response(status, (("Content-Type", "application/json"), *headers), body)


def refused(refusal: Refusal) -> Response:
    """An answer in the specification's form of errors."""
    headers = (("Content-Type", "application/json"), *refusal.headers)
    return Response(refusal.status, headers, refusal.to_json(), refusal.close)


_last_date = (0, "")


def _date(second: int) -> str:
    """The Date header; made once a second, in English whatever the locale is."""
    global _last_date  # noqa: PLW0603 - a cache of one value; a race only makes it twice
    if _last_date[0] != second:
        t = time.gmtime(second)
        day = f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year}"
        clock = f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}"
        _last_date = (second, f"Date: {day} {clock} GMT\r\n")
    return _last_date[1]
