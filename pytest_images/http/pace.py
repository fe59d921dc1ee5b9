"""How slow an answer may be: the longest silence and the lowest rate, kept at each receive.

Timeouts of the socket alone let a server send one byte just in time for ever. Counting at
the lowest level bounds headers, chunk lines and bodies alike, whoever reads them.
"""

from __future__ import annotations

import io
import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from socket import socket

    from _typeshed import WriteableBuffer

    from pytest_images.http.limits import Limits


class Pace:
    """The time spent waiting for one answer, judged as its bytes arrive."""

    def __init__(self, limits: Limits, first: float | None = None) -> None:
        """*first*: seconds to wait for the first byte; None: as for any other."""
        self._limits = limits
        self._idle = limits.idle if first is None else first
        self._waited = 0.0
        self._received = 0
        self._begun = False

    @property
    def idle(self) -> float:
        """The seconds that the next byte may take."""
        return self._idle

    def count(self, received: int, waited: float) -> None:
        """Add *received* bytes that took *waited* seconds. Raises TimeoutError below the floor."""
        if not self._begun:
            self._begun, self._idle = True, self._limits.idle
            return
        self._waited += waited
        self._received += received
        if self._waited < self._limits.window:
            return
        if self._received < self._limits.floor * self._limits.window:
            raise TimeoutError(f"only {self._received} bytes in {self._waited:.0f} s")
        self._waited, self._received = 0.0, 0

    def wait_readable(self, descriptor: int) -> float:
        """Wait until *descriptor* has bytes; return the seconds it took. Raises TimeoutError."""
        began = time.monotonic()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(self._idle * 1000):
            raise TimeoutError(f"nothing for {self._idle:.0f} s")
        return time.monotonic() - began


class PacedReader(io.RawIOBase):
    """A socket's receiving side that keeps a `Pace`."""

    def __init__(self, sock: socket, pace: Pace) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open while we read
        self.pace = pace

    def readable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._raw.fileno()

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Receive once into *buffer*."""
        self._sock.settimeout(self.pace.idle)
        began = time.monotonic()
        received = self._raw.readinto(buffer)
        self.pace.count(received or 0, time.monotonic() - began)
        return received or 0

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()
