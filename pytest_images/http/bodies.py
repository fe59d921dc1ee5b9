"""What is sent: bytes of a file, moved by the kernel where the connection allows it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SLICE = 8 << 20  # bytes between two reports of progress
_BLOCK = 256 << 10


class FileBody:
    """*length* bytes of the file *path* from *offset* on, as the body of a request.

    It can be sent again: each sending opens the file anew. ``sent`` is told the bytes that
    went out, a few times a second at most on a fast line.
    """

    def __init__(
        self,
        path: Path,
        offset: int,
        length: int,
        sent: Callable[[int], None] | None = None,
    ) -> None:
        self.path, self.offset, self.length, self.sent = path, offset, length, sent

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[FileBody]:
        """Yield itself: the connection takes it as one piece and calls `send`."""
        if self.length:
            yield self

    def send(self, sock: socket.socket) -> None:
        """Send everything into *sock*. Raises OSError when file or connection breaks."""
        with self.path.open("rb") as file:
            position, end = self.offset, self.offset + self.length
            file.seek(position)
            while position < end:
                count = min(_SLICE, end - position)
                if type(sock) is socket.socket:
                    sock.sendfile(file, position, count)  # falls back to send() by itself
                else:  # TLS: the bytes are encrypted here
                    self._copy(file.read, sock, count)
                position += count
                if self.sent is not None:
                    self.sent(count)

    @staticmethod
    def _copy(read: Callable[[int], bytes], sock: socket.socket, count: int) -> None:
        while count:
            block = read(min(_BLOCK, count))
            if not block:
                raise OSError("the file became shorter while it was sent")
            sock.sendall(block)
            count -= len(block)
