"""A file at an address that a person named: read like a file, dialled at the first read.

Only http and https; redirects are judged as every hop is (row B14). The address may carry a
name and a password: they are sent to that server alone and shown nowhere.
"""

from __future__ import annotations

import io
import re
from base64 import b64encode
from typing import TYPE_CHECKING

from pytest_images.errors import InvalidResponse, NotFound, Unreachable
from pytest_images.http.address import Address
from pytest_images.http.session import Request, Session
from pytest_images.model.secret import Secret
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from _typeshed import WriteableBuffer

    from pytest_images.http.response import Response

_URL = regex(r"(?P<scheme>https?)://(?:(?P<user>[^/?#]*)@)?(?P<rest>[^#]*)(?:#.*)?", re.I)
_EXPLANATION = 300  # bytes of an answer that only explains an error


class Download(io.RawIOBase):
    """The content of *url* as a binary stream; ``name`` is the address without a password.

    *begun* is called when the server sends it. *offline*: only this machine is asked.
    Reading raises NotFound, Unreachable, TlsError, InvalidResponse, UnsafeAddress.
    Raises InvalidAddress.
    """

    def __init__(
        self, url: str, begun: Callable[[], None] | None = None, *, offline: bool = False
    ) -> None:
        self._session: Session | None = None  # first: `close` follows a failure below too
        self._response: Response | None = None
        match = _URL.fullmatch(url)
        rest = f"{match['scheme']}://{match['rest']}" if match else url.rpartition("@")[2]
        self.address = Address.parse(rest)
        self.name = self.address.url
        self._authorization = _basic(match["user"] if match else None)
        self._begun, self._offline = begun, offline
        self._left: int | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer, found by names of any case; none before it came."""
        return self._response.headers if self._response is not None else {}

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Receive into *buffer*; a body that ends before its announced size is an error."""
        response = self._response or self._open()
        view = memoryview(buffer).cast("B")
        piece = response.read_piece(len(view))
        view[: len(piece)] = piece
        if self._left is not None:
            self._left -= len(piece)
            if not piece and self._left > 0:
                reason = f"the answer ended {self._left} bytes too early"
                raise Unreachable(self.address.base, [reason])
        return len(piece)

    def close(self) -> None:
        """Let go of the connection. Safe when called twice."""
        if self._response is not None:
            self._response.close()
        if self._session is not None:
            self._session.close()
        self._response = self._session = None
        super().close()

    def _open(self) -> Response:
        self._session = Session(offline=self._offline)
        request = Request("GET", self.address, authorization=self._authorization)
        response = self._session.send(request)
        if response.status != 200:
            raise _refusal(response, self.name)
        self._response, self._left = response, response.length
        if self._begun is not None:
            self._begun()
        return response


def _basic(user: str | None) -> Secret:
    from urllib.parse import unquote

    if not user:
        return Secret()
    name, _, password = user.partition(":")
    pair = f"{unquote(name)}:{unquote(password)}".encode()
    return Secret(f"Basic {b64encode(pair).decode()}")


def _refusal(response: Response, name: str) -> NotFound | InvalidResponse:
    with response:
        if response.status in (404, 410):
            return NotFound(name, response.address.base)
        explanation = response.read_start(_EXPLANATION).decode("utf-8", "replace")
    return InvalidResponse(name, f"the server answered {response.status}: {explanation}")
