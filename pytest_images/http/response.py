"""An answer: its status and headers, and a body that is read within bounds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_images.errors import InvalidResponse, LimitExceeded, Unreachable
from pytest_images.http.failures import failure_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Protocol, Self

    from pytest_images.http.address import Address
    from pytest_images.http.limits import Limits

    class Answer(Protocol):
        """An answer as a wire gives it: the head, and the body as it came, nothing decoded."""

        @property
        def status(self) -> int:
            """The status code."""

        @property
        def headers(self) -> Mapping[str, str]:
            """The headers, found by names of any case."""

        def read(self, size: int) -> bytes:
            """Read *size* bytes of the body, fewer at its end."""

        def read1(self, size: int) -> bytes:
            """Read up to *size* bytes of the body, those that come next."""

        def fileno(self) -> int:
            """Return the socket's descriptor; what was read ahead is not there any more."""

        def shutdown(self) -> None:
            """Make a read in another thread return at once."""

        def close(self) -> None:
            """Keep the connection where all was read; close any other. Safe when called twice."""


_READ = 64 << 10


class Response:
    """What a server answered. Close it, or use it as a context manager.

    ``address`` is where the answer came from, after redirects. ``raw`` is what the wire
    gave, for loops that move many bytes.
    """

    def __init__(
        self,
        raw: Answer,
        address: Address,
        limits: Limits,
        faults: tuple[type[Exception], ...],
        *,
        bodiless: bool,
        via_proxy: bool,
    ) -> None:
        """*faults*: what reading *raw* may raise."""
        self.raw, self.address, self.via_proxy = raw, address, via_proxy
        self._faults, self._bodiless = faults, bodiless
        self.status, self.headers = raw.status, raw.headers
        self._limits = limits

    @property
    def length(self) -> int | None:
        """The bytes that ``Content-Length`` announces, None where it is absent or senseless."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def read(self, limit: int, what: str) -> bytes:
        """Read the whole body of *what*. Raises LimitExceeded beyond *limit* bytes.

        One byte more than the limit is read at most, and nothing is cut off in silence.
        """
        announced = self.length
        if announced is not None and announced > limit:
            self.close()
            raise LimitExceeded(str(self.address), f"size of {what} in bytes", limit)
        body, complete = self._collect(limit)
        if not complete:
            raise LimitExceeded(str(self.address), f"size of {what} in bytes", limit)
        if announced is not None and len(body) != announced:
            reason = f"the answer ended after {len(body)} of {announced} bytes"
            raise InvalidResponse(str(self.address), reason)
        return body

    def read_start(self, limit: int) -> bytes:
        """Read at most *limit* bytes of a body that only explains an error; never raises for it."""
        try:
            return self._collect(limit)[0]
        except (Unreachable, InvalidResponse):
            return b""

    def drain(self) -> None:
        """Read and forget a short body, so that the connection can be used again."""
        announced = self.length
        if self.status == 204 or self._bodiless:
            self._finish()
        elif announced is not None and announced <= _READ:
            self.read_start(_READ)
        self.close()

    def read_piece(self, size: int) -> bytes:
        """Read up to *size* raw bytes; ``b""`` at the end. Raises Unreachable, InvalidResponse."""
        try:
            piece = self.raw.read(size)
        except self._faults as error:
            failure = failure_of(error, self.address)
        else:
            return piece
        raise failure from None

    def stop(self) -> None:
        """Make a read that waits in another thread return at once."""
        try:
            self.raw.shutdown()
        except (OSError, ValueError, RuntimeError):
            return  # it has ended already, which is what was wanted

    def close(self) -> None:
        """Give a fully read connection back to the pool, close any other."""
        self.raw.close()

    def _collect(self, limit: int) -> tuple[bytes, bool]:
        """Return the body up to *limit* bytes, and whether that was all of it."""
        deadline = time.monotonic() + self._limits.small
        body = bytearray()
        while len(body) <= limit:
            piece = self._read_some(min(_READ, limit + 1 - len(body)))
            if not piece:
                self._finish()
                return bytes(body), True
            body += piece
            if time.monotonic() > deadline:
                self.close()
                reason = f"timed out: no whole answer in {self._limits.small:.0f} s"
                raise Unreachable(self.address.base, [reason])
        self.close()
        return bytes(body[:limit]), False

    def _finish(self) -> None:
        """Let the library see the end of a body, so that it keeps the connection."""
        self.raw.read(1)
        self.close()

    def _read_some(self, size: int) -> bytes:
        try:
            piece = self.raw.read1(size)
        except self._faults as error:
            failure = failure_of(error, self.address)
        else:
            return piece
        self.close()
        raise failure from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
