from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import (
    InvalidAddress,
    InvalidResponse,
    NotFound,
    Unreachable,
    UnsafeAddress,
)
from pytest_images.http.download import Download
from tests.faults.server import Fault, FaultRegistry
from tests.ledger import Ledger, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = b"content" * 1000


@pytest.fixture
def server(ledger: Ledger) -> Iterator[FaultRegistry]:
    with FaultRegistry() as server:
        yield server


@pytest.mark.parametrize("chunked", [False, True])
def test_the_content_is_read_like_a_file(server: FaultRegistry, chunked: bool) -> None:
    server.on("GET", "/a.tar", Fault(status=200, body=BODY, chunked=chunked))
    told: list[str] = []
    with Download(f"http://{server}/a.tar?v=1", lambda: told.append("begun")) as stream:
        assert not server.seen
        assert not told
        assert stream.name == f"http://{server}/a.tar?v=1"
        assert stream.readall() == BODY
    assert told == ["begun"]


def test_nothing_is_dialled_that_nobody_reads(ledger: Ledger) -> None:
    with Download("http://nowhere.test/a.tar") as stream:
        assert stream.readable()


def test_a_password_goes_to_the_server_and_nowhere_else(server: FaultRegistry) -> None:
    server.on("GET", "/a", Fault(status=200, body=BODY))
    with Download(f"http://me:s%40cret@{server}/a#part") as stream:
        assert stream.read(7) == b"content"
        assert "cret" not in stream.name + repr(stream.address)
    assert server.seen[0].headers["authorization"] == "Basic bWU6c0BjcmV0"


def test_a_password_does_not_follow_to_another_server(
    server: FaultRegistry, ledger: Ledger
) -> None:
    with FaultRegistry() as other:
        server.on("GET", "/a", Fault(status=302, headers={"Location": f"http://{other}/b"}))
        other.on("GET", "/b", Fault(status=200, body=BODY))
        with Download(f"http://me:secret@{server}/a") as stream:
            assert stream.readall() == BODY
        assert "authorization" not in other.seen[0].headers


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://169.254.169.254/latest"]
)
def test_a_redirect_to_where_nobody_should_go_is_refused(
    server: FaultRegistry, location: str
) -> None:
    server.on("GET", "/a", Fault(status=302, headers={"Location": location}))
    with (
        Download(f"http://{server}/a") as stream,
        pytest.raises((UnsafeAddress, InvalidAddress)),
    ):
        stream.read(1)


def test_redirects_end(server: FaultRegistry) -> None:
    server.on("GET", "/a", Fault(status=302, headers={"Location": "/a"}))
    with Download(f"http://{server}/a") as stream, refused(InvalidResponse, "redirects"):
        stream.read(1)


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_said_so(server: FaultRegistry, status: int) -> None:
    server.on("GET", "/a", Fault(status=status, body=b"gone"))
    with Download(f"http://me:secret@{server}/a") as stream, pytest.raises(NotFound) as caught:
        stream.read(1)
    assert "secret" not in str(caught.value)


def test_another_refusal_says_what_the_server_said(server: FaultRegistry) -> None:
    server.on("GET", "/a", Fault(status=403, body=b"members\x1b[2J only"))
    with Download(f"http://{server}/a") as stream, refused(InvalidResponse, "403", "members"):
        stream.read(1)


def test_a_body_that_ends_too_early_is_refused(server: FaultRegistry) -> None:
    server.on("GET", "/a", Fault(status=200, body=BODY, cut=100))
    with Download(f"http://{server}/a") as stream, pytest.raises((Unreachable, InvalidResponse)):
        stream.readall()


@pytest.mark.parametrize(
    "url", ["ftp://host.test/a", "http://", "http:///a", "http://me:secret@host name/a", "file:///a"]
)  # fmt: skip
def test_what_is_no_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        Download(url)
    assert "secret" not in str(caught.value)
