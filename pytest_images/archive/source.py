"""The input of a load: a stream read once, with a limit on how long it may stand still."""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.errors import ImagesError, InvalidArchive

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds without a byte. `docker save` may pack for minutes before it writes its first.
STALL_LIMIT = 600.0


class Source:
    """A stream that gives what there is, and refuses to wait without bound for more."""

    def __init__(self, stream: BinaryIO, name: str, stall_limit: float = STALL_LIMIT) -> None:
        self._name, self._stall_limit = name, stall_limit
        self._waits_for = _pollable(stream)
        # A buffered pipe's read() waits for all that was asked; read1 gives what came.
        self._read = getattr(stream, "read1", stream.read)

    def read(self, size: int) -> bytes:
        """Return at most *size* bytes, ``b""`` at the end only. Raises InvalidArchive."""
        if self._waits_for is not None:
            self._wait(self._waits_for)
        try:
            piece: bytes | None = self._read(size)
        except OSError as error:
            if isinstance(error, ImagesError):  # a stream of ours says itself what is wrong
                raise
            raise InvalidArchive(self._name, f"it cannot be read: {error.strerror}") from error
        return piece or b""

    def _wait(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
        if not poll.poll(self._stall_limit * 1000):
            error = InvalidArchive(self._name, f"nothing arrived for {self._stall_limit:g} seconds")
            error.add_note("Is the program that writes the archive still running?")
            raise error


@contextlib.contextmanager
def opened(path: Path, name: str) -> Iterator[BinaryIO]:
    """Open the archive file at *path*; a FIFO without a writer does not block here."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidArchive(name, f"it cannot be opened: {error.strerror}") from error
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise InvalidArchive(name, "it is a directory")
        os.set_blocking(descriptor, True)
        with io.FileIO(descriptor, closefd=False) as stream:
            yield stream
    finally:
        os.close(descriptor)


def _pollable(stream: BinaryIO) -> int | None:
    """Return the descriptor of a pipe, socket or terminal; None for files and memory."""
    try:
        descriptor = stream.fileno()
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    except (OSError, AttributeError):  # io.UnsupportedOperation is an OSError
        return None
    return None if is_file else descriptor
