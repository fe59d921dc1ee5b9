from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_images.model.digest import Digest
from pytest_images.server.registry import Registry
from tests.server.talk import Client, dial, hear, say, status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = b"0123456789" * 100
DIGEST = Digest.of(CONTENT)


def post(digest: Digest, framing: str) -> bytes:
    path = f"/v2/app/blobs/uploads/?digest={digest}"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\nConnection: close"
    return f"{head}\r\n\r\n".encode()


def chunked(body: bytes) -> bytes:
    return post(DIGEST, "Transfer-Encoding: chunked") + body


@pytest.mark.parametrize(
    "body",
    [
        b"3e8\r\n" + CONTENT + b"\r\n0\r\n\r\n",
        b"3E8;name=value\r\n" + CONTENT + b"\r\n0\r\n\r\n",
        b"0003e8\r\n" + CONTENT + b"\r\n00\r\nTrailer: x\r\n\r\n",
        b"".join(b"1\r\n%c\r\n" % byte for byte in CONTENT) + b"0\r\n\r\n",
    ],
)
def test_chunks_in_all_their_forms(registry: Registry, body: bytes) -> None:
    assert status_of(say(registry, chunked(body))) == 201


@pytest.mark.parametrize(
    "body",
    [
        b"3e8\n" + CONTENT + b"\r\n0\r\n\r\n",
        b"3e8\r\n" + CONTENT + b"0\r\n\r\n",
        b"3e7\r\n" + CONTENT + b"\r\n0\r\n\r\n",
        b"-1\r\n\r\n",
        b"0x3e8\r\n" + CONTENT,
        b" 3e8\r\n" + CONTENT,
        b"\r\n",
        b"fffffffffffffffff\r\n",
        b"3e8" + b" " * 300 + b"\r\n",
        b"3e8;" + b"x" * 300,
        b"3e8\r\n" + CONTENT + b"\r\n0\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
    ],
)
def test_malformed_chunks_are_refused_and_nothing_stays(registry: Registry, body: bytes) -> None:
    assert status_of(say(registry, chunked(body))) == 400
    assert not registry.shelf.is_repository("app")


@pytest.fixture(scope="module")
def lasting() -> Iterator[Registry]:
    with Registry() as registry:
        yield registry


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.integers(1, 60))
def test_chunks_arrive_whole_however_they_are_cut(
    lasting: Registry, chunks: list[bytes], step: int
) -> None:
    digest = Digest.of(b"".join(chunks))
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    with dial(lasting) as client:
        client.sendall(post(digest, "Transfer-Encoding: chunked"))
        for at in range(0, len(body), step):
            client.sendall(body[at : at + step])
        assert status_of(hear(client)) == 201


def test_the_server_asks_for_a_body_that_waits_to_be_asked_for(registry: Registry) -> None:
    with dial(registry) as client:
        framing = f"Content-Length: {len(CONTENT)}\r\nExpect: 100-continue"
        client.sendall(post(DIGEST, framing))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(CONTENT)
        assert status_of(hear(client)) == 201


def test_a_body_that_is_not_wanted_is_not_asked_for(registry: Registry) -> None:
    path = "/v2/app/blobs/uploads/" + "0" * 32
    framing = "Content-Length: 10\r\nExpect: 100-continue"
    heard = say(registry, f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode())
    assert status_of(heard) == 404
    assert b"Connection: close" in heard


def test_a_refused_body_is_read_when_it_is_little(client: Client) -> None:
    for _ in range(2):
        answer = client.ask("PATCH", "/v2/app/blobs/uploads/" + "0" * 32, b"x" * 1000)
        assert (answer.status, answer.headers["Connection"]) == (404, None)


def test_a_refused_body_that_is_much_ends_the_connection(client: Client) -> None:
    answer = client.ask("PATCH", "/v2/app/blobs/uploads/" + "0" * 32, b"x" * 1_000_000)
    assert (answer.status, answer.headers["Connection"]) == (404, "close")
