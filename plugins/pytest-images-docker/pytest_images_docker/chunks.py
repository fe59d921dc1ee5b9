"""A body whose length nobody knows yet, as HTTP sends it: in chunks (RFC 9112, 7.1)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import socket

    from _typeshed import ReadableBuffer


class Chunks(io.RawIOBase):
    """A stream that sends what is written to it; the end is sent when the block ends well.

    A daemon that stops listening has answered already: what is written then goes nowhere,
    and the answer says why.
    """

    def __init__(self, connected: socket.socket) -> None:
        super().__init__()
        self._socket = connected
        self._is_heard = True

    def __enter__(self) -> Self:
        """Give the stream."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        """Say that this was all, unless writing failed: then nothing may look complete."""
        if kind is None:
            self._send(b"0\r\n\r\n")

    def writable(self) -> bool:
        """Be a stream to write to."""
        return True

    def write(self, content: ReadableBuffer) -> int:
        """Send one chunk."""
        view = memoryview(content).cast("B")
        if view:  # an empty chunk would end the body
            self._send(b"%x\r\n" % len(view), view, b"\r\n")
        return len(view)

    def _send(self, *parts: ReadableBuffer) -> None:
        try:
            for part in parts if self._is_heard else ():
                self._socket.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            self._is_heard = False
