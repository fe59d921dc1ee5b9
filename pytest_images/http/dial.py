"""Sockets to servers."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_images.http.address import Address


def dial(address: Address, seconds: float) -> socket.socket:
    """Connect to the server of *address* within *seconds*, which stay its timeout.

    Raises OSError.
    """
    host = address.host.strip("[]").encode("ascii")  # as text it would pass through IDNA
    return socket.create_connection((host, address.port), seconds)  # type: ignore[arg-type]  # as bytes
