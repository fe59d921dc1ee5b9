"""Redirects and secrets: rows A of the reliability catalogue, by tag and digest."""

from __future__ import annotations

import base64
import json
import logging
import pickle
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import (
    AuthError,
    ImagesError,
    InvalidAddress,
    InvalidResponse,
    TlsError,
    Unreachable,
    UnsafeAddress,
)
from pytest_images.http.proxies import Proxies
from pytest_images.model.endpoint import Access, Endpoint
from tests.faults.rig import CERTIFICATES, SECRET, Rig, login, named, tls
from tests.faults.server import Fault, FaultRegistry, Seen
from tests.ledger import refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.testing.samples import Sample

BASIC = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()
TOKEN = "canary-token"
LAYERS = "/blobs/"


def wants_password(seen: Seen) -> Fault:
    """Want the right user and password."""
    if seen.headers.get("authorization") == BASIC:
        return Fault()
    return Fault(status=401, headers={"WWW-Authenticate": "Basic realm=x"}, forget=True)


def wants_token(realm: str) -> object:
    """Return what wants a token of *realm*."""

    def answer(seen: Seen) -> Fault:
        if seen.headers.get("authorization") == f"Bearer {TOKEN}":
            return Fault()
        challenge = f'Bearer realm="{realm}",service="s",scope="repository:app:pull"'
        return Fault(status=401, headers={"WWW-Authenticate": challenge}, forget=True)

    return answer


def gives_token(registry: FaultRegistry) -> FaultRegistry:
    body = json.dumps({"token": TOKEN}).encode()
    return registry.on("GET", "/token", Fault(status=200, body=body))


def secrets_in(text: str) -> list[str]:
    canaries = (SECRET, BASIC.removeprefix("Basic "), TOKEN)
    return [canary for canary in canaries if canary in text]


@pytest.fixture
def secure(sample: Sample) -> Iterator[FaultRegistry]:
    with FaultRegistry(tls=tls("good")) as registry:
        yield registry.serve(sample)


@pytest.fixture(params=["other-host", "other-port", "http"], ids=lambda name: f"A01-{name}")
def target(request: pytest.FixtureRequest, sample: Sample) -> Iterator[FaultRegistry]:
    """Where a blob is redirected to."""
    with FaultRegistry("127.0.0.2" if request.param == "other-host" else "127.0.0.1") as target:
        yield target.serve(sample)


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_no_secret_follows_a_redirect(
    rig: Rig, registry: FaultRegistry, target: FaultRegistry, sample: Sample, scheme: str
) -> None:
    rig.credentials.append(login())

    def redirect(seen: Seen) -> Fault:
        headers = {"Location": f"http://{target}{seen.target}", "Set-Cookie": "c=canary-cookie"}
        return Fault(status=307, headers=headers)

    wants = wants_password if scheme == "basic" else wants_token(f"http://{registry}/token")
    gives_token(registry)

    def answer(seen: Seen) -> Fault:
        fault = wants(seen)  # type: ignore[operator]  # either is a function
        return redirect(seen) if fault.status is None and LAYERS in seen.target else fault

    registry.on("*", "/v2/", answer)
    assert rig.pull(f"{registry}/app:1").id == sample.config.id
    heard = target.everything_heard().lower()
    assert target.asked("GET", LAYERS)
    assert "authorization" not in heard
    assert "cookie" not in heard


def test_the_login_that_a_redirect_target_wants_is_not_given(
    rig: Rig, registry: FaultRegistry, other: FaultRegistry, how: str
) -> None:
    """A02."""
    rig.credentials.append(login())
    registry.on("GET", LAYERS, Fault(status=307, headers={"Location": f"http://{other}/blob"}))
    challenge = {"WWW-Authenticate": f'Bearer realm="http://{other}/token"'}
    other.on("*", "/blob", Fault(status=401, headers=challenge))
    with refused(AuthError, str(other)):
        rig.pull(named(registry, how))
    assert not other.asked("GET", "/token")
    assert secrets_in(other.everything_heard()) == []


def test_urls_of_a_layer_are_not_followed(
    rig: Rig, registry: FaultRegistry, other: FaultRegistry, sample: Sample, how: str
) -> None:
    """A03."""
    document = json.loads(sample.manifest.raw)
    document["layers"][0]["urls"] = [f"http://{other}/layer"]
    registry.document(json.dumps(document).encode(), sample.manifest.media_type)
    rig.pull(named(registry, how))
    assert other.seen == []


@pytest.mark.parametrize(
    "realm",
    [
        "http://169.254.169.254/token",
        "http://0.0.0.0/token",
        "http://[::]/token",
        "http://10.1.2.3/token",
        "https://192.168.1.1/token",
        "http://1.1.1.1/token",
        "https://[fd00::1]/token",
        "https://[::ffff:10.0.0.1]/token",
        "http://token.example/token",
        "https://metadata.google.internal/token",
    ],
    ids=lambda realm: f"A04-{realm}",
)
def test_a_realm_that_secrets_must_not_go_to_is_refused(
    rig: Rig, registry: FaultRegistry, realm: str
) -> None:
    rig.credentials.append(login())
    registry.on("*", "/v2/", wants_token(realm))  # type: ignore[arg-type]  # a function of Seen
    with refused(UnsafeAddress, str(registry)):
        rig.pull(f"{registry}/app:1")


@pytest.mark.parametrize("realm", ["file:///etc/passwd", "ftp://127.0.0.1/", "", "javascript:x"])
def test_a_realm_that_is_no_web_address_is_refused(
    rig: Rig, registry: FaultRegistry, realm: str
) -> None:
    """A04."""
    registry.on("*", "/v2/", wants_token(realm))  # type: ignore[arg-type]  # a function of Seen
    with refused(ImagesError):
        rig.pull(f"{registry}/app:1")


@pytest.mark.parametrize("where", ["same", "loopback"], ids=["A04-same-host", "A04-loopback"])
def test_a_realm_on_the_registrys_own_host_is_used(
    rig: Rig, registry: FaultRegistry, other: FaultRegistry, sample: Sample, where: str
) -> None:
    rig.credentials.append(login())
    server = gives_token(registry if where == "same" else other)
    registry.on("*", "/v2/", wants_token(f"http://{server}/token"))  # type: ignore[arg-type]  # as above
    assert rig.pull(f"{registry}/app:1").id == sample.config.id
    (asked,) = server.asked("GET", "/token")
    assert asked.headers["authorization"] == BASIC
    assert asked.query["scope"] == ["repository:app:pull"]


def test_a_realm_in_clear_of_a_secure_registry_is_refused(
    rig: Rig, secure: FaultRegistry, other: FaultRegistry
) -> None:
    """A05: loopback is no exception for a token in clear."""
    rig.credentials.append(login())
    rig.endpoints = [Endpoint(str(secure), verify=str(CERTIFICATES / "authority.pem"))]
    secure.on("*", "/v2/", wants_token(f"http://{other}/token"))  # type: ignore[arg-type]  # as above
    with refused(UnsafeAddress, str(other)):
        rig.pull(f"{secure}/app:1")
    assert other.seen == []


@pytest.mark.parametrize("hops", [0, 2], ids=["A06-at-once", "A06-third-hop"])
def test_a_token_server_that_leads_to_metadata_is_refused(
    rig: Rig, registry: FaultRegistry, hops: int
) -> None:
    rig.credentials.append(login())
    registry.on("*", "/v2/", wants_token(f"http://{registry}/token"))  # type: ignore[arg-type]  # as above
    for hop in range(hops):
        registry.on("GET", "/token", Fault(status=302, headers={"Location": f"/token{hop}"}), nth=1)
    last = {"Location": "http://169.254.169.254/latest/meta-data/"}
    registry.on("GET", "/token", Fault(status=302, headers=last))
    with refused(UnsafeAddress, "169.254.169.254"):
        rig.pull(f"{registry}/app:1")


def test_redirects_without_end_are_refused(rig: Rig, registry: FaultRegistry, how: str) -> None:
    registry.on("GET", LAYERS, lambda seen: Fault(status=302, headers={"Location": seen.target}))
    with refused(InvalidResponse, "redirects"):
        rig.pull(named(registry, how))


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:@evil.example/",
        "http://127.0.0.1\\@evil.example/",
        "http://evil\texample/",
        "http://evil.example#@127.0.0.1/",
        "http://evil\u3002example/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::1%25lo]/",
        "//evil.example:99999/",
        "gopher://evil.example/",
    ],
    ids=lambda text: f"A07-{text!a}",
)
def test_an_address_that_readers_disagree_about_is_refused(
    rig: Rig, registry: FaultRegistry, location: str
) -> None:
    header = location.encode().decode("latin-1")
    registry.on("GET", LAYERS, Fault(status=302, headers={"Location": header}))
    with refused(InvalidAddress):
        rig.pull(f"{registry}/app:1")
    assert rig.leftovers() == []


def test_netrc_is_never_read(
    rig: Rig, registry: FaultRegistry, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """A08."""
    from pathlib import Path

    netrc = Path(str(tmp_path)) / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    rig.pull(f"{registry}/app:1")
    assert secrets_in(registry.everything_heard()) == []


def test_a_proxys_password_goes_to_the_proxy_alone(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """A08: and the registry's to the registry alone."""
    proxies = Proxies.from_environment({"http_proxy": f"http://pu:proxy-canary@{registry}"})
    through = Rig(rig.store, proxies=proxies)
    through.endpoints = [Endpoint("registry.example", scheme="http")]
    registry.on("*", "^http://registry.example/v2/", lambda seen: Fault())
    through.pull("registry.example/app:1")
    first = registry.asked("GET", "manifests")[0]
    assert first.target.startswith("http://registry.example/v2/")
    assert first.headers["proxy-authorization"].startswith("Basic ")
    assert "authorization" not in first.headers
    through.host.close()
    through.client.close()


def test_loopback_is_asked_directly_whatever_the_proxy(
    rig: Rig, registry: FaultRegistry, other: FaultRegistry
) -> None:
    """A08."""
    environment = {"http_proxy": f"http://{other}", "all_proxy": f"http://{other}"}
    direct = Rig(rig.store, proxies=Proxies.from_environment(environment))
    direct.pull(f"{registry}/app:1")
    assert other.seen == []
    direct.host.close()
    direct.client.close()


def test_two_accounts_of_one_registry_never_share_a_token(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """A15."""
    gives_token(registry)
    registry.on("*", "/v2/", wants_token(f"http://{registry}/token"))  # type: ignore[arg-type]  # as above
    second = Rig(rig.store)
    for each, user in ((rig, "one"), (second, "two")):
        each.credentials.append(login(user))
        each.pull(f"{registry}/app:1")
    accounts = [seen.query["account"][0] for seen in registry.asked("GET", "/token")]
    assert accounts == ["one", "two"]
    second.host.close()
    second.client.close()


def test_a_request_after_an_unverified_one_verifies(rig: Rig, sample: Sample) -> None:
    """A16."""
    with FaultRegistry(tls=tls("self-signed")) as registry:
        registry.serve(sample)
        rig.endpoints = [Endpoint(str(registry), verify=False)]
        rig.pull(f"{registry}/app:1")
        rig.endpoints = [Endpoint(str(registry))]
        with refused(TlsError, "self-signed"):
            rig.pull(f"{registry}/app:1")


@pytest.mark.parametrize("scheme", ["basic", "bearer", "reset"])
def test_no_secret_is_in_errors_reprs_pickles_or_logs(
    rig: Rig, registry: FaultRegistry, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    """A17: every frame's locals, as ``--showlocals`` prints them, are looked through."""
    caplog.set_level(logging.DEBUG)
    rig.credentials.append(login())
    gives_token(registry)
    wants = wants_token(f"http://{registry}/token") if scheme == "bearer" else wants_password
    registry.on("GET", LAYERS, Fault(reset=True) if scheme == "reset" else Fault(status=400))
    registry.on("*", "/v2/", wants)  # type: ignore[arg-type]  # either is a function
    with pytest.raises(ImagesError) as caught:
        rig.pull(f"{registry}/app:1")
    told = [repr(rig.credentials), str(caught.value), str(caught.getrepr(showlocals=True))]
    told += [caplog.text, repr(pickle.dumps(caught.value)), repr(pickle.dumps(rig.credentials))]
    assert [found for text in told for found in secrets_in(text)] == []


@pytest.mark.parametrize(
    "host",
    ["localhost.evil.example", "127.0.0.1.evil.example", "registry.local", "128.0.0.1", "[::2]"],
    ids=lambda host: f"A18-{host}",
)
def test_only_true_loopback_may_speak_plain_http(rig: Rig, host: str) -> None:
    from pytest_images.http.origin import Origins

    assert Origins(rig.limits).address(f"{host}:5000").scheme == "https"


def test_a_password_is_not_sent_in_clear_beyond_loopback(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    rig.credentials.append(login())
    through = Rig(rig.store, proxies=Proxies.from_environment({"http_proxy": f"http://{registry}"}))
    through.credentials.append(login())
    through.endpoints = [Endpoint("registry.example", scheme="http")]
    registry.on("*", "registry.example", wants_password)
    with refused(AuthError, "in clear"):
        through.pull("registry.example/app:1")
    assert secrets_in(registry.everything_heard()) == []
    through.host.close()
    through.client.close()


def test_a_mirror_never_sees_the_origins_password(
    rig: Rig, registry: FaultRegistry, other: FaultRegistry, sample: Sample
) -> None:
    """A19: credentials are asked for by the name of the place that is asked."""
    other.serve(sample)
    registry.on("*", "/v2/", wants_password)
    rig.credentials.append(login())
    mirror = Endpoint(str(other), scheme="http", allows=frozenset({Access.PULL}))
    rig.endpoints = [mirror, Endpoint(str(registry), scheme="http")]
    assert rig.pull(f"{registry}/app:1").reference is not None
    assert other.asked("GET", LAYERS)
    assert rig.asked_for == [str(registry)]
    assert secrets_in(other.everything_heard()) == []


def test_a_mirror_that_is_down_or_lies_is_passed_over(
    rig: Rig, registry: FaultRegistry, other: FaultRegistry, sample: Sample, how: str
) -> None:
    other.serve(sample).on("GET", LAYERS, Fault(flip=7))
    down = Endpoint("127.0.0.1:1", scheme="http", allows=frozenset({Access.PULL}))
    mirror = Endpoint(str(other), scheme="http", allows=frozenset({Access.PULL}))
    rig.endpoints = [down, mirror, Endpoint(str(registry), scheme="http")]
    image = rig.pull(named(registry, how))
    assert image.id == sample.config.id
    assert str(image.reference) == named(registry, how)


def test_endpoints_that_all_fail_are_all_named(rig: Rig, how: str, registry: FaultRegistry) -> None:
    rig.endpoints = [Endpoint("127.0.0.1:1", scheme="http"), Endpoint("127.0.0.1:2", scheme="http")]
    with refused(Unreachable, "127.0.0.1:1", "127.0.0.1:2"):
        rig.pull(named(registry, how))
