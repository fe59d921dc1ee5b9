from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import LimitExceeded, RateLimited, Unreachable
from pytest_images.http.address import Address
from pytest_images.http.bodies import FileBody
from pytest_images.http.proxies import Proxies
from pytest_images.http.session import Request, Session
from pytest_images.registry.refusals import refusal
from tests.faults.rig import SMALL, tls
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("wire")


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(SMALL, Proxies())
    yield session
    session.close()


@pytest.fixture
def server() -> Iterator[FaultRegistry]:
    with FaultRegistry() as server:
        yield server


def get(server: FaultRegistry, target: str = "/v2/") -> Request:
    return Request("GET", Address.parse(f"http://{server}{target}"))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_read_answer_gives_its_connection_back(
    session: Session, server: FaultRegistry, method: str
) -> None:
    for _ in range(3):
        with session.send(Request(method, get(server).address)) as response:
            response.drain()
    assert len({seen.peer for seen in server.seen}) == 1


def test_nothing_is_asked_for_that_was_not_said(session: Session, server: FaultRegistry) -> None:
    session.send(get(server)).close()
    assert sorted(server.seen[0].headers) == ["accept-encoding", "host", "user-agent"]


def test_one_byte_beyond_a_limit_is_refused_not_cut(
    session: Session, server: FaultRegistry
) -> None:
    server.on("GET", "/exact", Fault(status=200, body=b"x" * 100, chunked=True))
    server.on("GET", "/more", Fault(status=200, body=b"x" * 101, chunked=True))
    assert len(session.send(get(server, "/exact")).read(100, "it")) == 100
    with pytest.raises(LimitExceeded):
        session.send(get(server, "/more")).read(100, "it")


def test_waiting_ends_when_the_session_is_closed(session: Session, server: FaultRegistry) -> None:
    from dataclasses import replace

    patient = Session(replace(SMALL, retry_after=60, patience=60), Proxies())
    server.on("GET", "/", Fault(status=503, headers={"Retry-After": "60"}))
    timer = threading.Timer(0.2, patient.close)
    timer.start()
    with pytest.raises(Unreachable, match="closed"):
        patient.send(get(server))
    timer.join()


def test_a_caller_that_lost_interest_ends_the_waiting(
    session: Session, server: FaultRegistry
) -> None:
    server.on("GET", "/", Fault(status=503, headers={"Retry-After": "60"}))

    def lost() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.send(get(server), check=lost)


def test_each_wait_is_told(session: Session, server: FaultRegistry) -> None:
    told: list[str] = []
    server.on("GET", "/", Fault(status=503), nth=1)
    session.send(get(server), told.append).close()
    assert len(told) == 1
    assert "503" in told[0]


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_file_is_sent_whole_and_counted(tmp_path: Path, encrypted: bool) -> None:
    content = os.urandom(300_000)
    path = tmp_path / "file"
    path.write_bytes(b"before" + content)
    sent: list[int] = []
    session = Session(SMALL, Proxies())
    with FaultRegistry(tls=tls("good") if encrypted else None) as server:
        scheme = "https" if encrypted else "http"
        address = Address.parse(f"{scheme}://{server}/v2/x")
        body = FileBody(path, 6, len(content), sent.append)
        session.send(Request("PUT", address, body=body, verify=not encrypted)).close()
        assert server.seen[0].body == content
    assert sum(sent) == len(content)
    session.close()


def test_nobody_listening_is_unreachable(session: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match="refused"):
        session.send(Request("GET", Address.parse(f"http://127.0.0.1:{port}/")))


def test_a_303_after_a_put_is_followed_by_a_get(session: Session, server: FaultRegistry) -> None:
    server.on("PUT", "/put", Fault(status=303, headers={"Location": "/v2/"}))
    session.send(Request("PUT", get(server, "/put").address, body=b"x")).close()
    assert [seen.method for seen in server.seen] == ["PUT", "GET"]
    assert server.seen[1].body == b""


def test_a_fork_does_not_use_its_parents_connections(
    session: Session, server: FaultRegistry
) -> None:
    session.send(get(server)).read(100, "it")
    session._owner = -1  # what a forked child sees: another process made these
    session.send(get(server)).read(100, "it")
    assert session._owner == os.getpid()


def test_a_refusal_says_what_the_registry_says(session: Session, server: FaultRegistry) -> None:
    body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}'
    server.on("GET", "/", Fault(status=429, body=body))
    error = refusal(session.send(get(server)), "r.example", SMALL)
    assert isinstance(error, RateLimited)
    assert "TOOMANYREQUESTS: slow down" in str(error)
