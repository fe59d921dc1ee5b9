"""The daemon's HTTP interface: a question, an answer, streams in both directions, errors.

Each question has a connection of its own: a socket on this machine costs 50 microseconds, and
any number of threads can ask.
"""

from __future__ import annotations

import io
import json
import select
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlencode

from pytest_images import (
    Conflict,
    ImageNotFound,
    ImagesError,
    InvalidResponse,
    InvalidUsage,
    Unreachable,
)
from pytest_images.errors import shown
from pytest_images_docker.chunks import Chunks

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from http.client import HTTPConnection, HTTPResponse

    from _typeshed import WriteableBuffer

    from pytest_images_docker.address import Address

    Query = Mapping[str, str | Sequence[str]]

ANSWER_LIMIT = 60  # seconds until a daemon answers that has nothing to move
MOVE_LIMIT = 600  # seconds of silence while it packs or unpacks layers
DOCUMENT_LIMIT = 64 << 20  # bytes of an answer that is a document
CHUNK = 1 << 20  # bytes sent at once
_STATUS_OK = 300
_PIECE = 1 << 16


class DaemonError(ImagesError, OSError):
    """The daemon was reached and could not do it; *status* is HTTP's, 0 for one in a stream."""

    code = "daemon-error"

    def __init__(self, daemon: str, status: int, message: str) -> None:
        super().__init__(daemon, status, message)
        self.daemon, self.status, self.message = daemon, status, message

    def __str__(self) -> str:
        """Say who could not, and why in the daemon's words."""
        return f"{shown(self.daemon)}: Docker says: {shown(self.message)}"


class Daemon:
    """One daemon. Every method raises Unreachable, and what `_refusal` makes of an answer."""

    def __init__(self, address: Address) -> None:
        self._address = address

    @property
    def name(self) -> str:
        """What errors call it."""
        return self._address.text

    def ask(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        *,
        about: str = "",
        document: object = None,
        limit: float | None = ANSWER_LIMIT,
    ) -> Any:
        """Return what the daemon answers, as JSON gives it.

        *about* is the image or container in errors, *document* goes along as JSON, *limit* is
        how many seconds the answer may take.
        """
        body = b"" if document is None else json.dumps(document).encode()
        with self._asked(method, path, query, limit) as connection:
            if body:
                connection.putheader("Content-Type", "application/json")
            if method != "GET":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            return self._json(self._read(self._answer(connection, about)) or b"null")

    def head(self, path: str, query: Query, header: str) -> str:
        """Return what the head of an answer says."""
        with self._asked("HEAD", path, query, ANSWER_LIMIT) as connection:
            connection.endheaders()
            said = self._answer(connection, "").getheader(header)
        if said is None:
            raise InvalidResponse(self.name, f"it has no {header}")
        return said

    @contextmanager
    def reading(self, path: str, query: Query | None = None) -> Iterator[BinaryIO]:
        """Give the stream that the daemon answers with."""
        with self._asked("GET", path, query, MOVE_LIMIT) as connection:
            connection.endheaders()
            yield io.BufferedReader(_Body(self._answer(connection, ""), self.name), CHUNK)

    @contextmanager
    def listening(self, path: str, query: Query) -> Iterator[Listening]:
        """Give what the daemon says from now on, for as long as it says something."""
        with self._asked("POST", path, query, ANSWER_LIMIT) as connection:
            connection.putheader("Content-Length", "0")
            connection.endheaders()
            heard = connection.sock  # the connection lets go of it, but the answer does not
            with self._answer(connection, "") as response:
                yield Listening(heard, response, self.name)

    def write(
        self,
        path: str,
        query: Query | None,
        send: Callable[[BinaryIO], object],
        *,
        method: str = "POST",
    ) -> list[dict[str, Any]]:
        """Have *send* write a tar to the daemon; return the messages it answers with.

        Raises DaemonError for a message that says an error.
        """
        with self._asked(method, path, query, MOVE_LIMIT) as connection:
            connection.putheader("Content-Type", "application/x-tar")
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()
            with Chunks(connection.sock) as chunks:
                stream = io.BufferedWriter(chunks, CHUNK)
                send(stream)
                stream.flush()
            lines = self._read(self._answer(connection, "")).splitlines()
        messages: list[dict[str, Any]] = [self._json(line) for line in lines if line.strip()]
        for message in messages:
            if "error" in message:
                raise DaemonError(self.name, 0, str(message["error"]))
        return messages

    @contextmanager
    def _asked(
        self, method: str, path: str, query: Query | None, limit: float | None
    ) -> Iterator[HTTPConnection]:
        """Give a connection on which a question was begun; what fails on it is told."""
        target = quote(path, safe="/:@") + (f"?{urlencode(query, doseq=True)}" if query else "")
        try:
            connection = self._address.connect()
        except OSError as error:
            raise self._unreachable(error) from error
        try:
            connection.sock.settimeout(limit)
            connection.putrequest(method, target, skip_accept_encoding=True)
            yield connection
        finally:
            connection.close()

    def _answer(self, connection: HTTPConnection, about: str) -> HTTPResponse:
        try:
            response = connection.getresponse()
        except (OSError, HTTPException) as error:
            raise Unreachable(self.name, [f"it does not answer: {_reason(error)}"]) from error
        if response.status >= _STATUS_OK:
            raise self._refusal(response, about)
        return response

    def _refusal(self, response: HTTPResponse, about: str) -> ImagesError:
        message = _message(self._read(response))
        if response.status == 404:
            return ImageNotFound(about, self.name) if about else InvalidUsage(self.name, message)
        if response.status == 409:
            return Conflict(about, message.removeprefix("conflict: "))
        if response.status == 400:
            return InvalidUsage(about or self.name, message)
        return DaemonError(self.name, response.status, message)

    def _read(self, response: HTTPResponse) -> bytes:
        return _Body(response, self.name).read(DOCUMENT_LIMIT) or b""

    def _json(self, text: bytes) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            raise InvalidResponse(self.name, f"it is no JSON: {error}") from error

    def _unreachable(self, error: OSError) -> Unreachable:
        failure = Unreachable(self.name, [error.strerror or str(error)])
        if isinstance(error, PermissionError):
            failure.add_note("Your user may not use the socket: the group docker may.")
        else:
            failure.add_note("Start Docker, or set DOCKER_HOST to where its daemon listens.")
        return failure


class Listening:
    """An answer that comes piece by piece, as something happens."""

    def __init__(self, heard: socket.socket, response: HTTPResponse, daemon: str) -> None:
        self._socket, self._response, self._daemon = heard, response, daemon
        self._kept = b""

    def take(self, size: int, limit: float) -> bytes | None:
        """Return at most *size* bytes, ``b""`` at the end, None after *limit* seconds without any.

        Raises InvalidResponse.
        """
        if not self._kept:
            if not select.select([self._socket], [], [], limit)[0]:
                return None
            self._kept = self._more()
        piece, self._kept = self._kept[:size], self._kept[size:]
        return piece

    def _more(self) -> bytes:
        try:
            return self._response.read1(_PIECE)
        except (OSError, HTTPException) as error:
            raise InvalidResponse(self._daemon, f"it ends too early: {_reason(error)}") from error


class _Body(io.RawIOBase):
    """What comes after an answer's head, as a stream; a fault on the way is told as one."""

    def __init__(self, response: HTTPResponse, daemon: str) -> None:
        super().__init__()
        self._response, self._daemon = response, daemon

    def readable(self) -> bool:
        """Be a stream to read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what there is. Raises InvalidResponse where it ends too early."""
        try:
            return self._response.readinto(buffer)
        except (OSError, HTTPException) as error:
            raise InvalidResponse(self._daemon, f"it ends too early: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _message(body: bytes) -> str:
    """Return what an answer says is wrong."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip() or "no reason was given"
