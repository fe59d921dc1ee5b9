"""Accept connections and give each a thread, within bounds that a hostile client cannot use up.

A connection costs a thread and a descriptor, so their number has a cap. At the cap, the one
that has waited longest for its client is ended for the sake of the new one: clients that
send nothing, or drip, lose their place to those that work. One thread accepts, and once a
second ends the connections whose client is late.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import threading
import time
import weakref
from typing import TYPE_CHECKING

from pytest_images.errors import InvalidAddress
from pytest_images.server.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECTION_LIMIT = 256
SAFE_SECONDS = 0.2  # a connection that waits for less is not ended for another's sake
TICK_SECONDS = 1.0  # between two looks for late clients
GRACE_SECONDS = 1.0  # for running requests, when the listener stops
_CUT_SECONDS = 0.6  # for their threads, once they were cut
_PAUSE_SECONDS = 0.05  # when neither descriptors nor places are left
_BACKLOG = 1024
_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listener:
    """A listening socket and the threads of its connections."""

    def __init__(
        self,
        host: str,
        port: int,
        serve: Callable[[Connection], None],
        limit: int = CONNECTION_LIMIT,
    ) -> None:
        self._serve, self._limit = serve, limit
        self._connections: dict[Connection, threading.Thread] = {}
        self._changed = threading.Condition()
        self.is_stopping = False
        self._socket = _listen(host, port)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        self._wakes, self._waker = socket.socketpair()
        self._thread = threading.Thread(
            target=self._accept_all, name=f"images-registry-{self.port}", daemon=True
        )
        _listeners.add(self)

    def start(self) -> None:
        """Begin to accept. The address answers before, for the socket listens already."""
        self._thread.start()

    def stop(self) -> None:
        """Refuse new connections, let running requests finish or cut them, end all threads.

        Takes less than two seconds. Safe when called twice.
        """
        if self.is_stopping:
            return
        self.is_stopping = True
        with contextlib.suppress(OSError):  # gone with a fork
            self._waker.send(b"s")
        if self._thread.ident is None:
            self._socket.close()  # was never started
        else:
            self._thread.join()
        for connection in list(self._connections):
            if connection.is_idle:
                connection.end()
        if not self._wait_for_connections(GRACE_SECONDS):
            for connection in list(self._connections):
                connection.end()
            self._wait_for_connections(_CUT_SECONDS)
        self._wakes.close()
        self._waker.close()

    def abandon(self) -> None:
        """In a forked child: close every copy, without a word to the clients: the parent's."""
        self.is_stopping = True
        for end in (self._socket, self._wakes, self._waker):
            end.close()
        for connection in list(self._connections):
            connection.socket.close()
        self._connections.clear()

    def _wait_for_connections(self, seconds: float) -> bool:
        with self._changed:
            threads = list(self._connections.values())
            gone = self._changed.wait_for(lambda: not self._connections, seconds)
        if gone:
            for thread in threads:
                thread.join(_CUT_SECONDS)
        return gone

    def _accept_all(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._wakes, select.POLLIN)
        swept = time.monotonic()
        while not self.is_stopping:
            poll.poll(TICK_SECONDS * 1000 if self._connections else None)
            if self.is_stopping:
                break
            self._accept()
            if time.monotonic() - swept >= TICK_SECONDS:
                self._end_late_ones()
                swept = time.monotonic()
        self._socket.close()

    def _accept(self) -> None:
        """Take one connection, if there is one and a place for it."""
        if not self._has_place():
            time.sleep(_PAUSE_SECONDS)
            return
        try:
            client, _ = self._socket.accept()
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno in _NO_DESCRIPTOR:
                self._make_place()
                time.sleep(_PAUSE_SECONDS)
            return  # anything else is the fault of a client that went away meanwhile
        try:
            self._begin(client)
        except (OSError, RuntimeError):  # the client is gone; or no thread can be started
            client.close()
            self._make_place()

    def _begin(self, client: socket.socket) -> None:
        client.setblocking(True)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(client)
        thread = threading.Thread(
            target=self._run, args=(connection,), name="images-registry-client", daemon=True
        )
        with self._changed:
            self._connections[connection] = thread
        try:
            thread.start()
        except RuntimeError:
            self._forget(connection)
            raise

    def _run(self, connection: Connection) -> None:
        try:
            self._serve(connection)
        finally:
            connection.socket.close()
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        with self._changed:
            self._connections.pop(connection, None)
            self._changed.notify_all()

    def _has_place(self) -> bool:
        if len(self._connections) < self._limit:
            return True
        if len(self._connections) >= 2 * self._limit:
            return False  # those that were ended are not gone yet
        with self._changed:
            taken = sum(not connection.is_over for connection in self._connections)
        return taken < self._limit or self._make_place()

    def _make_place(self) -> bool:
        """End the connection that has waited longest for its client; say whether there was one."""
        with self._changed:
            living = [connection for connection in self._connections if not connection.is_over]
        oldest = min(living, key=lambda connection: connection.since, default=None)
        if oldest is None or time.monotonic() - oldest.since < SAFE_SECONDS:
            return False
        oldest.end()
        return True

    def _end_late_ones(self) -> None:
        now = time.monotonic()
        with self._changed:
            late = [connection for connection in self._connections if connection.deadline < now]
        for connection in late:
            connection.end()


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; *port* 0 takes a free one. Raises InvalidAddress."""
    try:
        name = host.encode("ascii") if host.isascii() else host  # text would load the IDNA tables
        family, kind, protocol, _, address = socket.getaddrinfo(
            name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot_serve(host, port, error) from error
    try:
        listening.setblocking(False)
        if port and os.name == "posix":
            # A restart may take the port again while old connections fade; two servers may not.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise _cannot_serve(host, port, error) from error
    return listening


def _cannot_serve(host: str, port: int, error: OSError) -> InvalidAddress:
    refusal = InvalidAddress(f"{host}:{port}", f"cannot listen there: {error.strerror or error}")
    refusal.add_note("Choose another port (0 takes a free one) or an address of this machine.")
    return refusal


_listeners: weakref.WeakSet[Listener] = weakref.WeakSet()


def _abandon_all() -> None:
    for listener in list(_listeners):
        listener.abandon()
    _listeners.clear()


os.register_at_fork(after_in_child=_abandon_all)
