"""The byte loop of a download: from the socket into an ingest file.

On Linux and plain HTTP the kernel moves the bytes (socket to pipe to file) and the ingest's
thread hashes behind; everywhere else they are read and written in pieces. Either way the
ingest verifies all of them before they have a name.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from pytest_images.errors import SizeMismatch, Unreachable
from pytest_images.http.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.ingest import Ingest
    from pytest_images.http.limits import Limits
    from pytest_images.http.response import Response

SPLICE_FROM = 8 << 20  # bytes: below, hashing what arrives is as fast, and keeps the connection
_PIPE = 1 << 20
_LEFTOVER = 256 << 10


class Watch(Protocol):
    """Who is told of moved bytes, and may end the transfer by raising."""

    def moved(self, count: int) -> None:
        """Hear that *count* bytes were placed."""


def receive(
    response: Response, ingest: Ingest, remaining: int, limits: Limits, watch: Watch
) -> None:
    """Move *remaining* bytes of *response* to the end of *ingest*.

    Raises Unreachable where the answer ends or stalls before, SizeMismatch where it goes on
    after them, and what `Ingest.write` raises.
    """
    if remaining >= SPLICE_FROM and _can_splice(response, remaining):
        remaining = _splice(response, ingest, remaining, limits, watch)
    while remaining:
        piece = response.read_piece(min(limits.chunk, remaining))
        if not piece:
            raise _cut(response, remaining)
        ingest.write(piece)
        remaining -= len(piece)
        watch.moved(len(piece))
    if response.length is None and response.read_piece(1):
        raise SizeMismatch(ingest.offset, ingest.offset + 1, str(response.address))


def _cut(response: Response, missing: int) -> Unreachable:
    return Unreachable(response.address.base, [f"the answer ended {missing} bytes too early"])


def _can_splice(response: Response, remaining: int) -> bool:
    return (
        hasattr(os, "splice")
        and response.address.scheme == "http"
        and not response.via_proxy
        and response.length == remaining
    )


def _splice(
    response: Response, ingest: Ingest, remaining: int, limits: Limits, watch: Watch
) -> int:
    """Let the kernel move the bytes; return how many it left to be read as usual."""
    start = response.raw.read1(_LEFTOVER)  # what came with the headers
    ingest.write(start)
    watch.moved(len(start))
    remaining -= len(start)
    pace = Pace(limits)
    source = response.raw.fileno()
    with _pipe() as (out, into):
        while remaining:
            count = _fill(source, into, min(_PIPE, remaining), pace)
            if count == 0:
                raise _cut(response, remaining)
            remaining -= count
            went_by_kernel = _empty(out, ingest, count)
            watch.moved(count)
            if not went_by_kernel:
                break
    return remaining


def _fill(source: int, into: int, count: int, pace: Pace) -> int:
    """Move up to *count* bytes from a socket into the empty pipe; 0 at its end."""
    waited = 0.0
    while True:
        try:
            moved = os.splice(source, into, count, flags=os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK)
        except BlockingIOError:
            try:
                waited += pace.wait_readable(source)
            except TimeoutError as error:
                raise Unreachable("the registry", [f"timed out: {error}"]) from None
        except OSError as error:
            raise Unreachable("the registry", [error.strerror or str(error)]) from None
        else:
            pace.count(moved, waited)
            return moved


def _empty(out: int, ingest: Ingest, count: int) -> bool:
    """Move *count* bytes from the pipe into the file; False where the file needs them written.

    A file system that cannot splice, or has no room, gets them by `Ingest.write`, which
    knows how to say what is wrong.
    """
    while count:
        try:
            moved = os.splice(out, ingest.fileno(), count, offset_dst=ingest.offset)
        except OSError:
            _write(out, ingest, count)
            return False
        ingest.advance(moved)
        count -= moved
    return True


def _write(out: int, ingest: Ingest, count: int) -> None:
    os.lseek(ingest.fileno(), ingest.offset, os.SEEK_SET)
    while count:
        piece = os.read(out, count)
        ingest.write(piece)
        count -= len(piece)


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """Open a pipe as large as the system lets us."""
    out, into = os.pipe()
    try:
        _enlarge(into)
        yield out, into
    finally:
        os.close(out)
        os.close(into)


def _enlarge(pipe: int) -> None:
    import fcntl

    command = getattr(fcntl, "F_SETPIPE_SZ", None)
    if command is not None:
        with suppress(OSError):  # the user's share of pipe memory is used up: small works too
            fcntl.fcntl(pipe, command, _PIPE)
