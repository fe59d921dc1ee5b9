"""One client's socket: bytes in with a deadline, bytes out, files a large piece at a time.

Sockets block; nothing here polls. Instead each connection says since when it waits for its
client and until when it will (`waits`), and the listener ends those whose time is up by
shutting their socket down, which wakes the thread that waits.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import time
from typing import TYPE_CHECKING

from pytest_images.server.refusal import Cut
from pytest_images.server.response import FilePart
from pytest_images.server.wire import check_beginning

if TYPE_CHECKING:
    from pytest_images.server.response import Response

IDLE_SECONDS = 120.0  # between two requests; longer than the 90 s after which Go's clients close
HEAD_SECONDS = 10.0  # from a head's first byte to its last
STALL_SECONDS = 60.0  # in which a body must make PROGRESS, either way
PROGRESS = 16 << 10  # bytes
LINGER_SECONDS = 1.0  # to let a client read a refusal before its unread bytes reset it
LINGER_BYTES = 16 << 20

_RECEIVE = 64 << 10  # bytes at a time while a head is read
# Bytes of a file at a time. A loopback receiver copies each byte out of the socket's memory,
# and does that faster from a few large buffers than from the file's many pages, which is what
# sendfile gives it: 1 GB to curl in 0.24 s by copies of this size, in 0.41 s by sendfile.
_PIECE = 512 << 10
_SMALL = 32 << 10  # bytes of a file that go into one packet with the head
_MORE = getattr(socket, "MSG_MORE", 0)  # Linux; elsewhere the head is a packet of its own
NEVER = float("inf")


class Connection:
    """A client's connection; used by one thread, ended by any."""

    __slots__ = ("_count", "deadline", "is_idle", "is_over", "pending", "since", "socket")

    def __init__(self, client: socket.socket) -> None:
        self.socket = client
        self.pending = b""  # received and not yet used
        self.since = self.deadline = NEVER
        self.is_idle = True  # between two requests: may be ended without a loss
        self.is_over = False  # was sent away
        self._count = 0
        self.waits(HEAD_SECONDS)

    def waits(self, seconds: float) -> None:
        """Note that from now on the client is waited for, at most *seconds*."""
        self._count = 0
        self.since = now = time.monotonic()
        self.deadline = now + seconds

    def works(self) -> None:
        """Note that it is our turn: the client cannot be late."""
        self.since = self.deadline = NEVER

    def moved(self, count: int) -> None:
        """Note that *count* more bytes of a body moved; enough of them renew the deadline."""
        self._count += count
        if self._count >= PROGRESS:
            self.waits(STALL_SECONDS)

    def end(self) -> None:
        """Wake and end whatever waits on the socket. Any thread may call it, any time."""
        self.is_over = True
        with contextlib.suppress(OSError):  # closed or gone already
            self.socket.shutdown(socket.SHUT_RDWR)

    def receive(self, limit: int = _RECEIVE) -> bytes:
        """Return what came, b"" at the end of the stream. Raises Cut."""
        try:
            return self.socket.recv(limit)
        except OSError as error:
            raise Cut from error

    def receive_into(self, view: memoryview) -> int:
        """Fill the beginning of *view*; returns the count, 0 at the end. Raises Cut."""
        try:
            return self.socket.recv_into(view)
        except OSError as error:
            raise Cut from error

    def read_head(self) -> bytes | None:
        """Return the next request's head without its empty line; None when there is none.

        Raises Refusal for a beginning that cannot become a head, Cut when it ends halfway.
        """
        data = self.pending
        if not data:
            self.is_idle = True
            data = self.receive()
            if not data:
                return None
        self.is_idle = False
        checked = 0
        while (end := data.find(b"\r\n\r\n")) < 0:
            check_beginning(data, checked)
            if not checked:
                self.waits(HEAD_SECONDS)
            checked = len(data)
            more = self.receive()
            if not more:
                raise Cut
            data += more
        self.pending = data[end + 4 :]
        self.works()
        return data[:end]

    def send(self, response: Response, *, keep_alive: bool, head_only: bool) -> None:
        """Write *response*; its file is closed whatever happens. Raises Cut."""
        self.waits(STALL_SECONDS)
        head, body = response.head(keep_alive), response.body
        try:
            if isinstance(body, bytes):
                self.socket.sendall(head if head_only else head + body)
            elif head_only or body.count == 0:
                self.socket.sendall(head)
            elif body.count <= _SMALL:
                self.socket.sendall(head + _read(body))
            else:
                self.socket.sendall(head, _MORE)
                self._send_file(body)
        except OSError as error:
            raise Cut from error
        finally:
            if isinstance(body, FilePart):
                os.close(body.descriptor)

    def _send_file(self, part: FilePart) -> None:
        """Copy through one buffer: on loopback, faster than sendfile (see `_PIECE`)."""
        left = part.count
        view = memoryview(bytearray(min(_PIECE, left)))
        with io.FileIO(part.descriptor, closefd=False) as file:
            file.seek(part.offset)
            while left:
                count = file.readinto(view[: min(_PIECE, left)])
                if not count:
                    raise Cut  # the file became shorter: the client must see a short body
                self.socket.sendall(view[:count])
                left -= count
                self.moved(count)

    def linger(self) -> None:
        """Close our side, and let the client read what was said to it before its bytes reset it."""
        self.waits(LINGER_SECONDS)
        until, left = self.deadline, LINGER_BYTES
        with contextlib.suppress(OSError, Cut):
            self.socket.shutdown(socket.SHUT_WR)
            while left > 0 and time.monotonic() < until and (data := self.receive()):
                left -= len(data)


def _read(part: FilePart) -> bytes:
    data = os.pread(part.descriptor, part.count, part.offset)
    if len(data) != part.count:
        raise Cut
    return data
