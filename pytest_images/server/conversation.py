"""A connection from its first request to its last."""

from __future__ import annotations

import contextlib
import errno
import sys
from typing import TYPE_CHECKING

from pytest_images.errors import StoreError, StoreFull
from pytest_images.server import routes
from pytest_images.server.body import Body
from pytest_images.server.connection import IDLE_SECONDS
from pytest_images.server.hosts import check_caller
from pytest_images.server.refusal import Cut, Refusal
from pytest_images.server.response import Response, refused
from pytest_images.server.wire import parse_head

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.server.connection import Connection
    from pytest_images.server.service import Service
    from pytest_images.server.wire import Request

    Record = Callable[[str, str, int], None]

_NO_DESCRIPTOR = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class Conversation:
    """Reads requests and answers them, one after another: how a registry serves a connection."""

    def __init__(
        self, service: Service, host: str, record: Record, is_stopping: Callable[[], bool]
    ) -> None:
        self._service, self._host = service, host
        self._record, self._is_stopping = record, is_stopping

    def serve(self, connection: Connection) -> None:
        """Answer until the client leaves, breaks the protocol, or is sent away."""
        with contextlib.suppress(Cut):
            while self._serve_one(connection):
                if self._is_stopping():
                    return
                connection.waits(IDLE_SECONDS)

    def _serve_one(self, connection: Connection) -> bool:
        """Answer one request; say whether another one may follow."""
        try:
            head = connection.read_head()
            if head is None:
                return False
            request = parse_head(head)
        except Refusal as refusal:
            self._record("", "", refusal.status)
            connection.send(refused(refusal), keep_alive=False, head_only=False)
            connection.linger()
            return False
        body = Body(connection, request)
        try:
            response = self._answer(request, body)
        except Cut:
            self._record(request.method, request.target, 499)
            raise
        return self._finish(connection, request, body, response)

    def _answer(self, request: Request, body: Body) -> Response:
        try:
            check_caller(request.headers, self._host)
            return routes.answer(self._service, request, body)
        except Refusal as refusal:
            return refused(refusal)
        except Cut:
            raise
        except Exception as error:
            return refused(_failure(error))

    def _finish(
        self, connection: Connection, request: Request, body: Body, response: Response
    ) -> bool:
        """Send the answer, after what can still be read of the request was read."""
        try:
            is_clean = not response.close and body.drain()
        except (Refusal, Cut):
            is_clean = False
        keeps = is_clean and request.keep_alive and not self._is_stopping()
        self._record(request.method, request.target, response.status)
        connection.send(response, keep_alive=keeps, head_only=request.method == "HEAD")
        if not is_clean:
            connection.linger()
        return keeps


def _failure(error: Exception) -> Refusal:
    """Return the answer to a request that failed on our side."""
    if isinstance(error, StoreFull):
        return Refusal(507, "UNKNOWN", f"the registry's disk is full: {error.reason}", close=True)
    number = error.errno if isinstance(error, OSError) else None
    cause = error.__cause__
    if isinstance(error, StoreError) and isinstance(cause, OSError):
        number = cause.errno
    if number in _NO_DESCRIPTOR:
        message = "the registry has no descriptor or memory left; try again"
        return Refusal(503, "TOOMANYREQUESTS", message, headers=[("Retry-After", "1")], close=True)
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    return Refusal(500, "UNKNOWN", f"the registry failed: {type(error).__name__}", close=True)
