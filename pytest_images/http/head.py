"""The head of an answer, read strictly (RFC 9112): its status, its headers, where its body ends.

What two readers could read in two ways is refused, or costs the connection: whoever sits between
might keep it for another's answer. A line may end in a bare line feed, a header may be folded, as
old servers do; nothing else is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Self

from pytest_images.dataclass import dataclass
from pytest_images.http.failures import BrokenOff, MalformedAnswer
from pytest_images.regex import regex

if TYPE_CHECKING:
    from typing import Protocol

    class Source(Protocol):
        """Where an answer is read from: a buffered reader."""

        def readline(self, size: int, /) -> bytes:
            """Return the next line with its end, or *size* bytes of it, or what is left."""

        def read(self, size: int, /) -> bytes:
            """Return *size* bytes, fewer at the end."""

        def read1(self, size: int, /) -> bytes:
            """Return up to *size* bytes, those that come next."""


HEAD_LIMIT = 256 << 10  # bytes of a status line and headers together
HEADER_LIMIT = 100  # lines, as the standard library takes
INTERIM_LIMIT = 16  # answers that only say that another will come

_STATUS_LINE = regex(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: [\t -~\x80-\xff]*)?")
_HEADER = regex(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t -~\x80-\xff]*)")
_LENGTH = regex(r"[0-9]{1,18}")
_SWITCHED = 101
_BODILESS = frozenset({204, 304})


class Headers(Mapping[str, str]):
    """The headers of an answer, whatever their case; several of one name as one list."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str]) -> None:
        """*values*: by names in lower case."""
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one answer. ``length`` None: the body comes in chunks, or ends with the line."""

    status: int
    headers: Headers
    length: int | None
    is_chunked: bool
    keeps_alive: bool

    @classmethod
    def read(cls, source: Source, method: str) -> Self:
        """Read the head of the answer to a *method*; those that only announce it are passed over.

        Raises BrokenOff, MalformedAnswer, and what *source* raises.
        """
        for _ in range(INTERIM_LIMIT):
            line, *lines = read_lines(source) or [b""]
            match = _STATUS_LINE.fullmatch(line)
            if match is None:
                raise MalformedAnswer("it does not begin with a status line")
            status, values = int(match[2]), _headers(lines)
            if status == _SWITCHED:
                raise MalformedAnswer("it changes the protocol, which nobody asked for")
            if status >= 200:
                return cls._framed(status, values, method, is_old=match[1] == b"0")
        raise MalformedAnswer(f"more than {INTERIM_LIMIT} answers that announce another")

    @classmethod
    def _framed(cls, status: int, values: dict[str, str], method: str, *, is_old: bool) -> Self:
        """Say where the body ends (RFC 9112, 6.3), and whether the connection outlives it."""
        keeps_alive = _keeps_alive(values.get("connection", ""), is_old)
        headers = Headers(values)
        if method == "HEAD" or status in _BODILESS:
            return cls(status, headers, 0, False, keeps_alive)
        if "transfer-encoding" in values:
            if values["transfer-encoding"].lower() != "chunked":
                raise MalformedAnswer("the only transfer coding is chunked")
            is_sure = values.pop("content-length", None) is None and not is_old
            return cls(status, headers, None, True, keeps_alive and is_sure)
        if "content-length" not in values:
            return cls(status, headers, None, False, False)
        text = values["content-length"] = _one_of(values["content-length"])
        return cls(status, headers, int(text), False, keeps_alive)


def read_lines(source: Source) -> list[bytes]:
    """Return the lines up to the empty one, without their ends: a head, or trailers."""
    lines: list[bytes] = []
    room = HEAD_LIMIT
    while True:
        line = source.readline(room)
        if not line.endswith(b"\n"):
            if len(line) == room:
                raise MalformedAnswer(f"its head has more than {HEAD_LIMIT} bytes")
            raise BrokenOff("its head is not whole" if lines or line else "nothing of it came")
        room -= len(line)
        line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
        if not line:
            return lines
        lines.append(line)
        if len(lines) > HEADER_LIMIT + 1:
            raise MalformedAnswer(f"more than {HEADER_LIMIT} headers")


def _headers(lines: list[bytes]) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in _unfolded(lines):
        match = _HEADER.fullmatch(line)
        if match is None:
            raise MalformedAnswer("a header line is malformed")
        name = match[1].decode("ascii").lower()
        value = match[2].strip(b" \t").decode("latin-1")
        values[name] = f"{values[name]}, {value}" if name in values else value
    return values


def _unfolded(lines: list[bytes]) -> list[bytes]:
    """Return each header as one line: what begins with a space goes on with the one before."""
    if not any(line[0] in b" \t" for line in lines):
        return lines
    whole: list[list[bytes]] = []
    for line in lines:
        if line[0] not in b" \t":
            whole.append([line])
        elif whole:
            whole[-1].append(line.strip(b" \t"))
        else:
            raise MalformedAnswer("its first header begins with a space")
    return [b" ".join(parts) for parts in whole]


def _one_of(lengths: str) -> str:
    """Return the number that ``Content-Length`` says, once or several times alike."""
    several = {each.strip() for each in lengths.split(",")}
    text = several.pop()
    if several or not _LENGTH.fullmatch(text):
        raise MalformedAnswer("Content-Length is not one number of bytes")
    return text


def _keeps_alive(connection: str, is_old: bool) -> bool:
    options = {each.strip() for each in connection.lower().split(",")}
    return "close" not in options and ("keep-alive" in options or not is_old)
