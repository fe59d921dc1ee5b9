"""A stream read in tar's blocks of 512 bytes, from chunks large enough to be cheap."""

from __future__ import annotations

from typing import Protocol

from pytest_images.layer.header import BLOCK

CHUNK = 1 << 18  # bytes asked for at once: measured best between 64 KiB and 1 MiB


class Readable(Protocol):
    """Whatever gives at most *size* bytes a call, and ``b""`` at its end only."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...


class Blocks:
    """Reads blocks, data and padding of *stream* in one pass, and knows where it is."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0
        self._base = 0  # where the buffer starts in the stream

    @property
    def offset(self) -> int:
        """How many bytes were handed out or skipped."""
        return self._base + self._at

    def block(self) -> bytes:
        """Return the next block; shorter or empty where the stream ends."""
        at = self._at
        end = at + BLOCK
        if end <= len(self._buffer):
            self._at = end
            return self._buffer[at:end]
        return self.take(BLOCK)

    def take(self, size: int) -> bytes:
        """Return exactly *size* bytes, fewer where the stream ends."""
        pieces: list[bytes] = []
        while size and (piece := self.read(size)):
            pieces.append(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read(self, size: int) -> bytes:
        """Return between one and *size* bytes, ``b""`` where the stream ends."""
        if self._at == len(self._buffer):
            if size >= CHUNK:  # past the buffer: large data is copied once less
                piece = self._stream.read(size)
                self._base += len(self._buffer) + len(piece)
                self._buffer, self._at = b"", 0
                return piece
            self._fill()
        piece = self._buffer[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def skip(self, size: int) -> bool:
        """Pass over *size* bytes; say whether there were so many."""
        while size:
            here = len(self._buffer) - self._at
            if here >= size:
                self._at += size
                return True
            size -= here
            self._at = len(self._buffer)
            if not self._fill():
                return False
        return True

    def drain(self) -> None:
        """Read to the end of the stream, so that whoever hashes it hashes all of it."""
        while self._fill():
            pass

    def _fill(self) -> bool:
        self._base += len(self._buffer)
        self._at = 0
        self._buffer = self._stream.read(CHUNK)
        return bool(self._buffer)
