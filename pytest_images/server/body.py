"""The body of a request: so many bytes, or chunks (RFC 9112, 6 and 7), read once and bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.regex import regex
from pytest_images.server.connection import STALL_SECONDS
from pytest_images.server.refusal import Cut, Refusal, malformed
from pytest_images.server.response import CONTINUE
from pytest_images.server.wire import HEAD_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.server.connection import Connection
    from pytest_images.server.wire import Request

_BUFFER = 256 << 10  # bytes
_DRAIN = 64 << 10  # bytes that are read and thrown away to keep a connection
_LINE_LIMIT = 256  # bytes of a chunk's size and extensions, and of a trailer
_CHUNK_SIZE = regex(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t -~\x80-\xff]*)?")


class Body:
    """What follows a head. Nothing is read, or asked for, before `pieces` is iterated."""

    def __init__(self, connection: Connection, request: Request) -> None:
        self._connection = connection
        self._left = request.length  # None: chunks
        self._asks = request.expects_continue
        self.is_finished = request.length == 0
        self.is_started = False

    @property
    def length(self) -> int | None:
        """Bytes to come as the client states them; None: it does not say."""
        return self._left

    def pieces(self) -> Iterator[memoryview]:
        """Yield the content as it comes; each piece is valid until the next. Raises Cut."""
        if self.is_finished:
            return
        self._start()
        yield from self._counted() if self._left is not None else self._chunks()
        self.is_finished = True
        self._connection.works()

    def read(self, limit: int, what: str) -> bytes:
        """Return the whole; refuses with 413 beyond *limit* bytes, read or announced."""
        too_large = Refusal(413, "SIZE_INVALID", f"{what} exceeds the limit of {limit} bytes")
        if self._left is not None and self._left > limit:
            raise too_large
        whole = bytearray()
        for piece in self.pieces():
            if len(whole) + len(piece) > limit:
                raise too_large
            whole += piece
        return bytes(whole)

    def drain(self) -> bool:
        """Read what the request left, if that is little; say whether the connection is clean."""
        if self.is_finished:
            return True
        if self._asks and not self.is_started:
            return False  # the client may send its body or not: nobody can tell what follows
        if self.is_started or self._left is None or self._left > _DRAIN:
            return False
        for _ in self.pieces():
            pass
        return True

    def _start(self) -> None:
        self.is_started = True
        connection = self._connection
        connection.waits(STALL_SECONDS)
        if self._asks and not connection.pending:
            try:
                connection.socket.sendall(CONTINUE)
            except OSError as error:
                raise Cut from error

    def _counted(self) -> Iterator[memoryview]:
        connection, left = self._connection, self._left or 0
        if connection.pending:
            first = connection.pending[:left]
            connection.pending = connection.pending[left:]
            left -= len(first)
            self._left = left
            yield memoryview(first)
        view = memoryview(bytearray(min(_BUFFER, left)))
        while left:
            count = connection.receive_into(view[: min(_BUFFER, left)])
            if not count:
                raise Cut
            left -= count
            self._left = left
            connection.moved(count)
            yield view[:count]

    def _chunks(self) -> Iterator[memoryview]:
        received = _Received(self._connection)
        while size := _chunk_size(received.line()):
            yield from received.take(size)
            if received.line() != b"":
                raise malformed("a chunk is longer than its size")
        trailers = 0
        while line := received.line():
            trailers += len(line)
            if trailers > HEAD_LIMIT:
                raise malformed("the trailers are too large")
        received.give_back()


class _Received:
    """What came and how far it was used: small chunks must not move the rest each time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._data, self._at = connection.pending, 0
        connection.pending = b""

    def take(self, size: int) -> Iterator[memoryview]:
        """Yield the next *size* bytes as they come."""
        while size:
            if self._at == len(self._data):
                self._data, self._at = self._more(), 0
            piece = memoryview(self._data)[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            yield piece

    def line(self) -> bytes:
        """Return the next line without its CR LF."""
        while (end := self._data.find(b"\r\n", self._at, self._at + _LINE_LIMIT)) < 0:
            rest = self._data[self._at :]
            if len(rest) >= _LINE_LIMIT or b"\n" in rest:
                raise malformed("a chunk's line is too long or does not end with CR LF")
            self._data, self._at = rest + self._more(), 0
        line = self._data[self._at : end]
        self._at = end + 2
        if b"\n" in line or b"\r" in line:
            raise malformed("a chunk's line has a bare line end")
        return line

    def give_back(self) -> None:
        """Leave what follows the body to the next request."""
        self._connection.pending = self._data[self._at :]

    def _more(self) -> bytes:
        data = self._connection.receive(_BUFFER)
        if not data:
            raise Cut
        self._connection.moved(len(data))
        return data


def _chunk_size(line: bytes) -> int:
    match = _CHUNK_SIZE.fullmatch(line)
    if match is None:
        raise malformed("not the size of a chunk")
    return int(match[1], 16)
