from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import StoreFull
from pytest_images.server import lists, routes
from tests.server.talk import Client, dial, hear, say, status_of

if TYPE_CHECKING:
    from pytest_images.server.registry import Registry

PING = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def test_a_registry_says_that_it_is_one(client: Client) -> None:
    answer = client.ask("GET", "/v2/")
    assert (answer.status, answer.body) == (200, b"{}")
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    date = r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"
    assert re.fullmatch(date, answer.headers["Date"] or "")


def test_requests_may_be_sent_ahead(registry: Registry) -> None:
    assert say(registry, PING * 20 + LAST).count(b"HTTP/1.1 200 OK") == 21


def test_a_request_may_come_byte_by_byte(registry: Registry) -> None:
    with dial(registry) as client:
        for byte in LAST:
            client.sendall(bytes([byte]))
        assert status_of(hear(client)) == 200


def test_an_old_client_is_answered_and_left(registry: Registry) -> None:
    heard = say(registry, b"GET /v2/ HTTP/1.0\r\n\r\n")
    assert status_of(heard) == 200
    assert b"Connection: close" in heard


def test_a_client_may_leave_halfway(registry: Registry) -> None:
    for part in (b"", PING[:10], PING[:-2], PING + PING[:5]):
        with dial(registry) as client:
            client.sendall(part)
    assert status_of(say(registry, LAST)) == 200


def test_a_client_that_speaks_tls_is_told_at_once(registry: Registry) -> None:
    assert status_of(say(registry, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")) == 400


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_errors_have_the_specifications_form(client: Client, method: str) -> None:
    answer = client.ask(method, "/v2/app/tags/list")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/json"
    if method == "GET":
        [error] = answer.json()["errors"]
        assert set(error) == {"code", "message"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v2/", "GET, HEAD"),
        ("PATCH", "/v2/a/manifests/1", "GET, PUT, DELETE, HEAD"),
        ("GET", "/v2/a/blobs/uploads/", "POST"),
        ("OPTIONS", "/v2/a/tags/list", "GET, HEAD"),
        ("TRACE", "/v2/_catalog", "GET, HEAD"),
    ],
)
def test_other_methods_are_named(client: Client, method: str, path: str, allowed: str) -> None:
    answer = client.ask(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "path", ["/", "/v1/", "/v2x", "/v2/app", "/v2/app/what/ever", "/v2/app/referrers/sha256:a"]
)
def test_other_paths_are_not_found(client: Client, path: str) -> None:
    assert client.ask("GET", path).status == 404


def test_a_full_disk_is_said_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreFull("/the/disk", "No space left on device")

    monkeypatch.setitem(routes.FIXED, "/v2/", {"GET": full})
    assert client.ask("GET", "/v2/").status == 507


def test_a_fault_of_ours_is_answered_and_shown(
    client: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("the secret reason")

    monkeypatch.setitem(routes.FIXED, "/v2/", {"GET": fail})
    answer = client.ask("GET", "/v2/")
    assert (answer.status, answer.code) == (500, "UNKNOWN")
    assert b"secret" not in answer.body
    assert "the secret reason" in capsys.readouterr().err
    monkeypatch.setitem(routes.FIXED, "/v2/", {"GET": lists.version})
    client.close()
    assert client.ask("GET", "/v2/").status == 200
