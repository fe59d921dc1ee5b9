"""HTTPS through a proxy: the proxy sees its own password and nothing that is inside."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import Unreachable
from pytest_images.http.address import Address
from pytest_images.http.proxies import Proxies
from pytest_images.http.session import Request, Session
from pytest_images.model.secret import Secret
from tests.faults.rig import SMALL, tls
from tests.faults.server import FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tunnel:
    """A proxy that connects everybody to *target*, after writing down what it was told."""

    def __init__(self, target: tuple[str, int], answer: bytes) -> None:
        self.heard, self._target, self._answer = b"", target, answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="tunnel", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            inner, _ = self._listener.accept()
            with inner, socket.create_connection(self._target) as outer:
                while not self.heard.endswith(b"\r\n\r\n"):
                    self.heard += inner.recv(1)
                inner.sendall(self._answer)
                back = threading.Thread(target=_pump, args=(outer, inner), daemon=True)
                back.start()
                _pump(inner, outer)
                back.join(5)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(1 << 16):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def server() -> Iterator[FaultRegistry]:
    with FaultRegistry(tls=tls("good")) as server:
        yield server


@contextlib.contextmanager
def through(server: FaultRegistry, answer: bytes) -> Iterator[tuple[Session, Tunnel]]:
    tunnel = Tunnel((server.host, server.port), answer)
    address = f"http://pu:proxy-canary@127.0.0.1:{tunnel.port}"
    session = Session(
        replace(SMALL, attempts=1), Proxies.from_environment({"HTTPS_PROXY": address})
    )
    try:
        yield session, tunnel
    finally:
        session.close()
        tunnel.close()


def asked() -> Request:
    address = Address.parse("https://registry.example/v2/")
    return Request("GET", address, authorization=Secret("Basic canary"), verify=False)


def test_each_password_goes_to_its_own_side(server: FaultRegistry) -> None:
    with through(server, b"HTTP/1.1 200 OK\r\n\r\n") as (session, tunnel):
        assert session.send(asked()).read(100, "it") == b"{}"
    assert tunnel.heard.startswith(b"CONNECT registry.example:443 ")
    assert b"Proxy-Authorization: Basic " in tunnel.heard
    assert b"canary" not in tunnel.heard
    (seen,) = server.seen
    assert seen.headers["authorization"] == "Basic canary"
    assert "proxy-authorization" not in seen.headers


def test_a_proxy_that_refuses_is_unreachable_and_its_password_unseen(
    server: FaultRegistry,
) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with through(server, refusal) as (session, _), pytest.raises(Unreachable) as caught:
        session.send(asked())
    assert "407" in str(caught.value)
    assert "canary" not in str(caught.getrepr(showlocals=True)).replace("Basic canary", "")
