from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import Unreachable
from pytest_images.http.address import Address
from pytest_images.http.plain import PlainWire
from pytest_images.http.proxies import Proxies
from pytest_images.http.session import Request, Session
from tests.faults.rig import SMALL
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[FaultRegistry]:
    with FaultRegistry() as server:
        yield server


@pytest.fixture
def session() -> Iterator[Session]:
    session = Session(SMALL, Proxies())
    yield session
    session.close()


def request(server: FaultRegistry, method: str = "GET", target: str = "/v2/") -> Request:
    return Request(method, Address.parse(f"http://{server}{target}"))


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(
    session: Session, server: FaultRegistry
) -> None:
    session.send(request(server)).drain()
    server.hang_up()
    session.send(request(server, "POST", "/v2/app/blobs/uploads/")).drain()
    assert len({seen.peer for seen in server.seen}) == 2


def test_a_connection_whose_answer_was_not_read_is_not_used_again(
    session: Session, server: FaultRegistry
) -> None:
    server.on("GET", "/half", Fault(status=200, body=b"x" * 1000))
    with session.send(request(server, target="/half")) as response:
        assert response.read_piece(500) == b"x" * 500
    session.send(request(server)).drain()
    assert len({seen.peer for seen in server.seen}) == 2


def test_a_body_shorter_than_announced_is_a_broken_connection(
    session: Session, server: FaultRegistry
) -> None:
    server.on("GET", "/short", Fault(status=200, body=b"x" * 10, cut=4))
    response = session.send(request(server, target="/short"))
    with pytest.raises(Unreachable, match="broke off"):
        response.read(100, "it")


def test_a_header_of_any_case_is_found_and_repeated_ones_are_one_list(
    session: Session, server: FaultRegistry
) -> None:
    head = b"HTTP/1.1 200 OK\r\nlink: <a>\r\nLINK: <b>\r\nContent-Length: 0\r\n\r\n"
    server.on("GET", "/twice", Fault(raw=head))
    with session.send(request(server, target="/twice")) as response:
        assert response.headers["Link"] == "<a>, <b>"
        assert sorted(response.headers) == ["content-length", "link"]


def test_nothing_stays_open_after_the_end(server: FaultRegistry) -> None:
    wire = PlainWire(SMALL)
    answer = wire.send(request(server), 1.0, None)
    wire.close()
    while answer.read1(1000):
        pass
    answer.read(1)
    answer.close()
    del wire, answer
    gc.collect()  # a socket that is still open would warn
