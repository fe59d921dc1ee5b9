"""Plain HTTP/1.1 to the server itself: our own client, with a pool.

A registry on this machine or in a test network is asked so. requests and the standard library's
client (see `wire`) do it too, but to import them takes as long as to pull a small image.
"""

from __future__ import annotations

import select
import socket
import threading
import weakref
from collections import defaultdict
from contextlib import suppress
from io import BufferedReader
from typing import TYPE_CHECKING

from pytest_images.http.bodies import FileBody
from pytest_images.http.connection import RECEIVE_BUFFER, check_peer, dial, headers_of
from pytest_images.http.framing import framing
from pytest_images.http.head import Head
from pytest_images.http.pace import Pace, PacedReader
from pytest_images.regex import regex

if TYPE_CHECKING:
    from pytest_images.http.address import Address
    from pytest_images.http.limits import Limits
    from pytest_images.http.session import Request
    from pytest_images.model.secret import Secret

_VALUE = regex(r"[\t -~\x80-\xff]*")  # of a header: no line feed begins another


class PlainWire:
    """Connections to servers that are asked in plain HTTP, and without a proxy."""

    faults = (OSError, ValueError)

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
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
                return _Connection(address, self._limits)
            if not connection.is_spoilt:
                return connection
            connection.close()


def _close(connections: dict[tuple[str, int], list[_Connection]]) -> None:
    for several in connections.values():
        for connection in several:
            connection.close()


class _Connection:
    """A connection that carries one request after the other."""

    def __init__(self, address: Address, limits: Limits) -> None:
        self.place = (address.host, address.port)
        self.socket = dial(address, limits.connect)
        check_peer(address.host, self.socket)
        with suppress(OSError):  # it was for speed
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._limits = limits
        self._reader = PacedReader(self.socket, Pace(limits))
        self.received = BufferedReader(self._reader, RECEIVE_BUFFER)

    def ask(self, request: Request, wait: float) -> Head:
        """Send *request*, wait *wait* seconds for the answer's first byte; return its head."""
        self.socket.settimeout(self._limits.idle)
        with suppress(BrokenPipeError):  # it has heard enough: what it says of that counts
            self._send(request)
        self._reader.pace = Pace(self._limits, wait)
        return Head.read(self.received, request.method)

    def _send(self, request: Request) -> None:
        head, body = _head_of(request), request.body
        if isinstance(body, FileBody):
            self.socket.sendall(head)
            body.send(self.socket)
        else:
            self.socket.sendall(head + (body or b""))

    @property
    def is_spoilt(self) -> bool:
        """Whether the server hung up, or sent what nobody asked for."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        self._reader.pace = Pace(self._limits, 0)  # to look at what was read ahead, not to wait
        return bool(poll.poll(0) or self.received.peek(1))

    def close(self) -> None:
        """Let go of it. Safe when called twice."""
        self.received.close()
        self.socket.close()


def _head_of(request: Request) -> bytes:
    """Write the head of *request*. Raises ValueError for what would be read as another header."""
    address = request.address
    lines = [f"{request.method} {address.target} HTTP/1.1", f"Host: {address.netloc}"]
    for name, value in headers_of(request).items():
        if not _VALUE.fullmatch(value):
            raise ValueError(f"the header {name} cannot be sent: a control character is in it")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class PlainAnswer:
    """An `Answer`; its connection goes back to the wire when all of it was read."""

    def __init__(self, wire: PlainWire, connection: _Connection, head: Head) -> None:
        self._wire, self._head = wire, head
        self._connection: _Connection | None = connection
        self._socket = connection.socket
        self._body = framing(head, connection.received)
        self.status, self.headers = head.status, head.headers
        self.read, self.read1 = self._body.read, self._body.read1

    def fileno(self) -> int:
        """Return the socket's descriptor; what was read ahead is not there any more."""
        return self._socket.fileno()

    def shutdown(self) -> None:
        """Make a read in another thread return at once."""
        self._socket.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Keep the connection where all was read; close any other. Safe when called twice."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._body.is_over and self._head.keeps_alive:
            self._wire.give_back(connection)
        else:
            connection.close()
