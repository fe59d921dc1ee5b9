"""Connections that keep our bounds, whichever client drives them."""

from __future__ import annotations

import http.client
import io
import ipaddress
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_images.errors import UnsafeAddress
from pytest_images.http.bodies import FileBody
from pytest_images.http.pace import Pace, PacedReader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from socket import socket

    from pytest_images.http.limits import Limits
    from pytest_images.http.session import Request

RECEIVE_BUFFER = 64 << 10


class PacedResponse(http.client.HTTPResponse):
    """An answer read through a `Pace`. The socket's timeout is the wait for its first byte."""

    bounds: ClassVar[Limits]

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        reader = PacedReader(sock, Pace(self.bounds, sock.gettimeout()))
        self.fp = io.BufferedReader(reader, RECEIVE_BUFFER)


class CarefulConnection(http.client.HTTPConnection):
    """A connection that sends files by the kernel and does not talk to link-local peers."""

    proxy: Any = None  # urllib3's, where it has one

    def connect(self) -> None:
        """Connect, and look at who is there."""
        super().connect()
        if self.proxy is None and self.sock is not None:
            _check_peer(self.host, self.sock)

    def send(self, data: Any) -> None:
        """Send a piece of the request; a file goes by itself."""
        if isinstance(data, FileBody) and self.sock is not None:
            data.send(self.sock)
        else:
            super().send(data)


def headers_of(request: Request) -> Mapping[str, str]:
    """All headers; the one place where a secret is written in clear, and only into these."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "pytest-images", **request.headers}
    if request.body is not None:
        headers["Content-Length"] = str(len(request.body))
    elif request.method in ("POST", "PUT", "PATCH"):
        headers["Content-Length"] = "0"
    if request.authorization:
        headers["Authorization"] = request.authorization.reveal()
    return headers


def _check_peer(host: str, sock: socket) -> None:
    """Raise UnsafeAddress where a *name* leads to a link-local address (cloud metadata)."""
    try:
        peer = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
        written = host.strip("[]").partition("%")[0] == str(peer)
    except (OSError, ValueError):
        return  # a socket that is closed already fails by itself
    if peer.is_link_local and not written:
        sock.close()
        raise UnsafeAddress(host, str(peer), "the name leads to a link-local address")
