"""Where the daemon is: ``$DOCKER_HOST``, by default the socket that Docker installs."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Self
from urllib.parse import urlsplit

from pytest_images import InvalidConfiguration, Unsupported

VARIABLE = "DOCKER_HOST"
DEFAULT = "unix:///var/run/docker.sock"
DEFAULT_PORT = 2375  # of a daemon that speaks plain HTTP
CONNECT_LIMIT = 10  # seconds


@dataclass(frozen=True, slots=True)
class Address:
    """A daemon's address: the *path* of a socket, or *host* and *port*.

    >>> Address.parse("unix:///run/docker.sock").path
    '/run/docker.sock'
    """

    text: str
    path: str = ""
    host: str = ""
    port: int = 0

    @classmethod
    def of_environment(cls) -> Self:
        """Return the address that Docker's own client would use, contexts left aside."""
        return cls.parse(os.environ.get(VARIABLE) or DEFAULT)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address. Raises InvalidConfiguration, Unsupported (TLS, SSH)."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise InvalidConfiguration(VARIABLE, f'"{text}" is not an address: {error}') from error
        if parts.scheme == "unix" and parts.path:
            return cls(text, path=parts.path)
        if parts.scheme in ("tcp", "http") and parts.hostname:
            if os.environ.get("DOCKER_TLS_VERIFY") or parts.port == DEFAULT_PORT + 1:
                raise _unsupported(text, "the daemon wants TLS")
            return cls(text, host=parts.hostname, port=port or DEFAULT_PORT)
        if parts.scheme in ("ssh", "npipe", "https", "fd"):
            raise _unsupported(text, f"{parts.scheme} is not spoken here")
        raise InvalidConfiguration(VARIABLE, f'"{text}" is neither unix://PATH nor tcp://HOST:PORT')

    def connect(self) -> HTTPConnection:
        """Return a connection to the daemon. Raises OSError."""
        if not self.path:
            connection = HTTPConnection(self.host, self.port, timeout=CONNECT_LIMIT)
            connection.connect()
            return connection
        connection = HTTPConnection("docker")  # a name for the Host header, never looked up
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(CONNECT_LIMIT)
        try:
            connection.sock.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection


def _unsupported(text: str, reason: str) -> Unsupported:
    error = Unsupported(f"{VARIABLE}={text}", reason)
    error.add_note(f"Forward the daemon's socket (ssh -L) and set {VARIABLE}=unix://PATH.")
    return error
