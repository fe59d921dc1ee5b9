from __future__ import annotations

import ssl
import time

import pytest

from pytest_images.errors import InvalidAddress, Unreachable
from pytest_images.http.origin import Origins
from tests.faults.rig import SMALL, tls
from tests.faults.server import Fault, FaultRegistry


@pytest.mark.parametrize("certificate", ["good", "expired", "self-signed"])
def test_tls_on_loopback_is_found_whoever_signed_it(certificate: str) -> None:
    with FaultRegistry(tls=tls(certificate)) as server:
        assert Origins(SMALL).address(str(server)).scheme == "https"


def test_plain_http_on_loopback_is_found_by_the_handshake() -> None:
    with FaultRegistry() as server:
        assert Origins(SMALL).address(str(server)).scheme == "http"
        assert server.seen == []


def test_what_was_found_is_remembered_until_forgotten() -> None:
    origins = Origins(SMALL)
    with FaultRegistry() as server:
        address = str(server)
        origins.address(address)
    assert origins.address(address).scheme == "http"
    origins.forget(address)
    with pytest.raises(Unreachable):
        origins.address(address)


def test_a_server_that_hangs_up_on_tls_is_asked_in_plain_http() -> None:
    class HangsUp(FaultRegistry):
        def _converse(self, connection: object) -> None:
            if connection.recv(1, 2) == b"\x16":  # type: ignore[attr-defined]  # MSG_PEEK: TLS
                connection.close()  # type: ignore[attr-defined]  # a socket
                return
            super()._converse(connection)  # type: ignore[arg-type]  # a socket

    with HangsUp() as server:
        server.on("GET", "/v2/", Fault())
        assert Origins(SMALL).address(str(server)).scheme == "http"


def test_a_server_that_waits_for_a_whole_head_answers_at_once() -> None:
    """The first words of TLS hold an empty line."""

    class Patient(FaultRegistry):
        def _converse(self, connection: object) -> None:
            heard = b""
            while b"\r\n\r\n" not in heard:
                heard += connection.recv(1)  # type: ignore[attr-defined]  # a socket
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")  # type: ignore[attr-defined]  # a socket
            connection.close()  # type: ignore[attr-defined]  # a socket

    with Patient() as server:
        began = time.monotonic()
        assert Origins(SMALL).address(str(server)).scheme == "http"
    assert time.monotonic() - began < SMALL.connect


@pytest.mark.parametrize("versions", ["1.2", "1.3"])
def test_tls_of_one_version_alone_is_found(versions: str) -> None:
    context = tls("good")
    version = ssl.TLSVersion[f"TLSv{versions.replace('.', '_')}"]
    context.minimum_version = context.maximum_version = version
    with FaultRegistry(tls=context) as server:
        assert Origins(SMALL).address(str(server)).scheme == "https"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_scheme_that_was_said_is_kept(scheme: str) -> None:
    assert Origins(SMALL).address("127.0.0.1:1", scheme).scheme == scheme


@pytest.mark.parametrize("host", ["a b", "user@host", "host/path", "0x7f.1:5000", ""])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(InvalidAddress):
        Origins(SMALL).address(host)
