"""Plain HTTP to the server itself: the standard library's client, with a pool.

A registry on this machine or in a test network is asked so. requests (see `wire`) does it
too, but to import it takes longer than to pull a small image.
"""

from __future__ import annotations

import http.client
import select
import socket
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_images.http.connection import CarefulConnection, PacedResponse, headers_of

if TYPE_CHECKING:
    from pytest_images.http.address import Address
    from pytest_images.http.limits import Limits
    from pytest_images.http.session import Request
    from pytest_images.model.secret import Secret


class PlainWire:
    """Connections to servers that are asked in plain HTTP, and without a proxy."""

    faults = (http.client.HTTPException, OSError, ValueError)

    def __init__(self, limits: Limits) -> None:
        class Response(PacedResponse):
            bounds = limits

        self._limits, self._response = limits, Response
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, int], list[_Connection]] = defaultdict(list)
        self._is_closed = False
        weakref.finalize(self, _close, self._idle)  # also where a fork lets go of it

    def send(self, request: Request, wait: float, proxy: Secret | None) -> PlainAnswer:
        """Send *request*; return its answer, with the body still to be read."""
        connection = self._take(request.address)
        try:
            return PlainAnswer(self, connection, connection.ask(request, wait))
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the connections that nobody reads from."""
        with self._lock:
            self._is_closed = True
        _close(self._idle)

    def give_back(self, connection: _Connection) -> None:
        """Keep a connection for the next request, if there can be one."""
        with self._lock:
            if not self._is_closed:
                self._idle[connection.place].append(connection)
                return
        connection.close()

    def _take(self, address: Address) -> _Connection:
        """Return a connection that waits for a request, or a new one."""
        while True:
            with self._lock:
                idle = self._idle[address.host, address.port]
                connection = idle.pop() if idle else None
            if connection is None:
                return _Connection(address, self._limits, self._response)
            if not connection.is_spoilt:
                return connection
            connection.close()


def _close(connections: dict[tuple[str, int], list[_Connection]]) -> None:
    for several in connections.values():
        for connection in several:
            connection.close()


class _Connection(CarefulConnection):
    def __init__(self, address: Address, limits: Limits, response: type[PacedResponse]) -> None:
        super().__init__(address.host.strip("[]"), address.port, timeout=limits.connect)
        self.listening = self.sock
        self.place = (address.host, address.port)
        self.response_class: type[PacedResponse] = response
        self._idle_limit = limits.idle

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(self._idle_limit)

    def ask(self, request: Request, wait: float) -> http.client.HTTPResponse:
        with suppress(BrokenPipeError):  # it has heard enough: what it says of that counts
            self.request(
                request.method,
                request.address.target,
                request.body,  # type: ignore[arg-type]  # iterable: see FileBody
                headers_of(request),
            )
        self.sock.settimeout(wait)
        self.listening = self.sock  # stays open for the answer where the server hangs up after it
        return self.getresponse()

    @property
    def is_spoilt(self) -> bool:
        """Whether the server hung up, or sent what nobody asked for."""
        if self.sock is None:
            return True
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))


class PlainAnswer:
    """An `Answer`; its connection goes back to the wire when all of it was read."""

    def __init__(
        self, wire: PlainWire, connection: _Connection, raw: http.client.HTTPResponse
    ) -> None:
        self._wire, self._raw = wire, raw
        self._connection: _Connection | None = connection
        self._socket = connection.listening
        self.status = raw.status
        self.headers = _Headers(raw)

    def read(self, size: int) -> bytes:
        """Read *size* bytes of the body, fewer at its end."""
        return self._whole(self._raw.read(size), size)

    def read1(self, size: int) -> bytes:
        """Read up to *size* bytes of the body, those that come next."""
        return self._whole(self._raw.read1(size), size)

    def _whole(self, piece: bytes, size: int) -> bytes:
        if size and not piece and self._raw.length:
            raise http.client.IncompleteRead(piece, self._raw.length)
        return piece

    def fileno(self) -> int:
        """Return the socket's descriptor; what was read ahead is not there any more."""
        return self._raw.fileno()

    def shutdown(self) -> None:
        """Make a read in another thread return at once."""
        self._socket.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Keep the connection where all was read; close any other. Safe when called twice."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._raw.isclosed() and connection.sock is not None:
            self._wire.give_back(connection)
        else:
            self._raw.close()
            connection.close()


class _Headers(Mapping[str, str]):
    """The headers of an answer, whatever their case; several of one name as one list."""

    def __init__(self, raw: http.client.HTTPResponse) -> None:
        self._values: dict[str, str] = {}
        for name, value in raw.getheaders():
            key = name.lower()
            self._values[key] = f"{self._values[key]}, {value}" if key in self._values else value

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
