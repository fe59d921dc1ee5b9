"""To whom we connect, and what is said there, whichever client drives it."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from pytest_images.errors import UnsafeAddress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.http.address import Address
    from pytest_images.http.session import Request

RECEIVE_BUFFER = 64 << 10


def dial(address: Address, seconds: float) -> socket.socket:
    """Connect to the server of *address* within *seconds*, which stay its timeout.

    Raises OSError.
    """
    host = address.host.strip("[]").encode("ascii")  # as text it would pass through IDNA
    return socket.create_connection((host, address.port), seconds)  # type: ignore[arg-type]  # as bytes


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


def check_peer(host: str, sock: socket.socket) -> None:
    """Raise UnsafeAddress where a *name* leads to a link-local address (cloud metadata)."""
    try:
        peer = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
        written = host.strip("[]").partition("%")[0] == str(peer)
    except (OSError, ValueError):
        return  # a socket that is closed already fails by itself
    if peer.is_link_local and not written:
        sock.close()
        raise UnsafeAddress(host, str(peer), "the name leads to a link-local address")
