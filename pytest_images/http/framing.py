"""Where the body of an answer ends: after so many bytes, a last chunk, or with the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.http.failures import BrokenOff, MalformedAnswer
from pytest_images.http.head import read_lines
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from pytest_images.http.head import Head, Source

    class Framing(Protocol):
        """The body of one answer, read up to its end and not beyond."""

        @property
        def is_over(self) -> bool:
            """Whether all of it was read."""

        def read(self, size: int) -> bytes:
            """Read *size* bytes, fewer at the end."""

        def read1(self, size: int) -> bytes:
            """Read up to *size* bytes, those that come next."""


CHUNK_LINE_LIMIT = 4 << 10  # bytes
# Strict: a line that two readers end in two places has hidden answers in chunks.
_CHUNK_LINE = regex(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t -~\x80-\xff]*)?\r\n")


def framing(head: Head, source: Source) -> Framing:
    """Return the body that follows *head* in *source*."""
    if head.is_chunked:
        return Chunked(source)
    return Endless(source) if head.length is None else Counted(source, head.length)


class Counted:
    """A body of so many bytes."""

    __slots__ = ("_left", "_source")

    def __init__(self, source: Source, length: int) -> None:
        self._source, self._left = source, length

    @property
    def is_over(self) -> bool:
        """Whether all of it was read."""
        return not self._left

    def read(self, size: int) -> bytes:
        """Read *size* bytes, fewer where it breaks off; then BrokenOff is raised."""
        return self._taken(self._source.read, size)

    def read1(self, size: int) -> bytes:
        """Read up to *size* bytes, those that come next. Raises BrokenOff."""
        return self._taken(self._source.read1, size)

    def _taken(self, read: Callable[[int], bytes], size: int) -> bytes:
        count = min(size, self._left)
        piece = read(count) if count else b""
        if count and not piece:
            raise BrokenOff(f"{self._left} bytes are missing")
        self._left -= len(piece)
        return piece


class Endless:
    """A body that ends with the connection."""

    __slots__ = ("_source", "is_over")

    def __init__(self, source: Source) -> None:
        self._source, self.is_over = source, False

    def read(self, size: int) -> bytes:
        """Read *size* bytes, fewer at the end."""
        return self._taken(self._source.read, size)

    def read1(self, size: int) -> bytes:
        """Read up to *size* bytes, those that come next."""
        return self._taken(self._source.read1, size)

    def _taken(self, read: Callable[[int], bytes], size: int) -> bytes:
        piece = b"" if self.is_over else read(size)
        self.is_over = self.is_over or bool(size and not piece)
        return piece


class Chunked:
    """A body in chunks that say their size; trailers are read and forgotten (RFC 9112, 7.1)."""

    __slots__ = ("_begun", "_left", "_source", "is_over")

    def __init__(self, source: Source) -> None:
        self._source, self._left = source, 0
        self._begun = self.is_over = False

    def read(self, size: int) -> bytes:
        """Read *size* bytes, fewer at the end. Raises BrokenOff, MalformedAnswer."""
        pieces = []
        while size and (piece := self.read1(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def read1(self, size: int) -> bytes:
        """Read up to *size* bytes, those that come next. Raises BrokenOff, MalformedAnswer."""
        if not self._left and not self.is_over and size:
            self._begin_next()
        count = min(size, self._left)
        piece = self._source.read1(count) if count else b""
        if count and not piece:
            raise BrokenOff(f"{self._left} bytes of a chunk are missing")
        self._left -= len(piece)
        return piece

    def _begin_next(self) -> None:
        """Read what stands between two chunks, and after the last."""
        if self._begun and self._line(2) != b"\r\n":
            raise MalformedAnswer("a chunk does not end where it says")
        match = _CHUNK_LINE.fullmatch(self._line(CHUNK_LINE_LIMIT))
        if match is None:
            raise MalformedAnswer("a chunk does not say its size")
        self._begun, self._left = True, int(match[1], 16)
        if not self._left:
            read_lines(self._source)
            self.is_over = True

    def _line(self, limit: int) -> bytes:
        line = self._source.readline(limit)
        if not line.endswith(b"\n") and len(line) < limit:
            raise BrokenOff("its last chunk is missing")
        return line
