"""Logging in, against the registry that can lie."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import AuthError
from pytest_images.http.proxies import Proxies
from pytest_images.model.endpoint import Access, Credentials, Endpoint
from pytest_images.model.reference import Reference
from pytest_images.model.secret import Secret
from pytest_images.registry.client import Client
from pytest_images.testing.samples import image
from tests.faults.rig import SMALL
from tests.faults.server import Fault, FaultRegistry, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Plan = Callable[[Seen], Fault]

OLD, NEW = Credentials("me", Secret("old")), Credentials("me", Secret("new"))


@pytest.fixture
def server() -> Iterator[FaultRegistry]:
    with FaultRegistry() as server:
        yield server.serve(image())


class Who:
    """Answers for credentials: *first*, and *newer* once that was rejected."""

    def __init__(self, first: Credentials | None, newer: Credentials | None = None) -> None:
        self.first, self.newer = first, newer
        self.asked: list[Credentials | None] = []

    def __call__(
        self, name: str, access: Access, rejected: Credentials | None
    ) -> Credentials | None:
        self.asked.append(rejected)
        return self.first if rejected is None else self.newer


def manifest(server: FaultRegistry, client: Client, times: int = 1) -> None:
    endpoint = Endpoint(str(server), scheme="http")
    for _ in range(times):
        client.manifest(endpoint, Reference.parse(f"{server}/app:1"))
    client.close()


def shows(header: str, password: str) -> bool:
    expected = base64.b64encode(f"me:{password}".encode()).decode()
    return header == f"Basic {expected}"


def wants_basic(password: str) -> Plan:
    def answer(seen: Seen) -> Fault:
        if shows(seen.headers.get("authorization", ""), password):
            return Fault()
        return Fault(status=401, headers={"WWW-Authenticate": 'Basic realm="r"'})

    return answer


def client_of(who: Who) -> Client:
    return Client(who, limits=SMALL, proxies=Proxies())


def test_a_password_is_shown_at_once_after_it_was_accepted(server: FaultRegistry) -> None:
    server.on("GET", "/v2/", wants_basic("old"))
    who = Who(OLD)
    manifest(server, client_of(who), times=3)
    assert len(server.seen) == 4
    assert who.asked == [None]


def test_a_rejected_password_is_asked_for_once_more(server: FaultRegistry) -> None:
    server.on("GET", "/v2/", wants_basic("new"))
    who = Who(OLD, NEW)
    manifest(server, client_of(who))
    assert who.asked == [None, OLD]


@pytest.mark.parametrize("newer", [None, OLD])
def test_a_rejected_password_with_nothing_newer_is_the_end(
    server: FaultRegistry, newer: Credentials | None
) -> None:
    server.on("GET", "/v2/", wants_basic("other"))
    with pytest.raises(AuthError, match="not accepted"):
        manifest(server, client_of(Who(OLD, newer)))
    assert len(server.seen) == 2


def test_nobody_known_is_said_so(server: FaultRegistry) -> None:
    server.on("GET", "/v2/", wants_basic("x"))
    with pytest.raises(AuthError, match="none are known") as caught:
        manifest(server, client_of(Who(None)))
    assert "login" in caught.value.__notes__[0]


def tokens(server: FaultRegistry, *accepted: str) -> None:
    """Want a bearer token, and give the next of *accepted* at each request for one."""
    given = iter(accepted)
    live: set[str] = set()

    def answer(seen: Seen) -> Fault:
        if seen.headers.get("authorization", "").removeprefix("Bearer ") in live:
            return Fault()
        challenge = f'Bearer realm="http://{server}/token?x=1",service="the registry"'
        return Fault(status=401, headers={"WWW-Authenticate": challenge})

    def give(seen: Seen) -> Fault:
        token = next(given)
        live.clear()
        live.add(token)
        return Fault(status=200, body=json.dumps({"token": token, "expires_in": 300}).encode())

    server.on("GET", "/v2/", answer)
    server.on("*", "/token", give)


def test_a_token_is_asked_for_with_service_scope_and_account(server: FaultRegistry) -> None:
    tokens(server, "t1")
    manifest(server, client_of(Who(OLD)), times=2)
    (asked,) = server.asked("GET", "/token")
    assert asked.query == {
        "x": ["1"],
        "service": ["the registry"],
        "scope": ["repository:app:pull"],
        "account": ["me"],
    }
    assert shows(asked.headers["authorization"], "old")


def test_a_token_without_an_account_is_anonymous(server: FaultRegistry) -> None:
    tokens(server, "t1")
    manifest(server, client_of(Who(None)))
    assert "authorization" not in server.asked("GET", "/token")[0].headers


def test_a_revoked_token_is_replaced_by_the_same_account(server: FaultRegistry) -> None:
    tokens(server, "t1", "t2")
    who = Who(OLD)
    client = client_of(who)
    endpoint, name = Endpoint(str(server), scheme="http"), Reference.parse(f"{server}/app:1")
    client.manifest(endpoint, name)
    server.on("GET", "never", Fault())
    server.seen.clear()
    for rule in server._rules[:1]:
        rule.fault = _revoked_once(rule.fault)
    client.manifest(endpoint, name)
    assert who.asked == [None]
    assert len(server.asked("GET", "/token")) == 1
    client.close()


def _revoked_once(before: Fault | Plan) -> Plan:
    """Refuse the first request, whatever it shows; then go on as *before*."""
    first = iter([True])

    def answer(seen: Seen) -> Fault:
        if next(first, False):
            seen.headers.pop("authorization", None)  # type: ignore[attr-defined]  # a dict
        return before if isinstance(before, Fault) else before(seen)

    return answer


def test_an_identity_token_is_exchanged_in_a_body(server: FaultRegistry) -> None:
    tokens(server, "t1")
    manifest(server, client_of(Who(Credentials(identity_token=Secret("refresh-me")))))
    (asked,) = server.asked("POST", "/token")
    assert b"grant_type=refresh_token" in asked.body
    assert b"refresh_token=refresh-me" in asked.body
    assert "refresh-me" not in asked.target


def test_each_purpose_has_a_token_of_its_own(server: FaultRegistry, tmp_path: object) -> None:
    server.on("*", "/v2/app/", _scoped("app", server))
    server.on("*", "/v2/base/", _scoped("base", server))
    server.on(
        "GET",
        "/token",
        lambda seen: Fault(
            status=200, body=json.dumps({"token": seen.query["scope"][0].split(":")[1]}).encode()
        ),
    )
    server.serve(image(), "base")
    client = client_of(Who(OLD))
    endpoint = Endpoint(str(server), scheme="http")
    for name in ("app", "base", "app"):
        client.manifest(endpoint, Reference.parse(f"{server}/{name}:1"))
    scopes = [seen.query["scope"] for seen in server.asked("GET", "/token")]
    assert scopes == [["repository:app:pull"], ["repository:base:pull"]]
    client.close()


def _scoped(name: str, server: FaultRegistry) -> Plan:
    def answer(seen: Seen) -> Fault:
        if seen.headers.get("authorization") == f"Bearer {name}":
            return Fault()
        challenge = f'Bearer realm="http://{server}/token"'
        return Fault(status=401, headers={"WWW-Authenticate": challenge})

    return answer
