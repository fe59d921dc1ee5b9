from __future__ import annotations

import pytest

from pytest_images.errors import UnsafeAddress
from pytest_images.http.address import Address
from pytest_images.http.redirects import check_hop, check_realm, check_same_origin


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("https://r.example", "https://cdn.example/x"),
        ("https://r.example", "https://r.example:8443/x"),
        ("https://r.example", "https://8.8.8.8/x"),
        ("http://r.example", "http://cdn.example/x"),
        ("http://127.0.0.1:5000", "http://127.0.0.2:1/x"),
        ("https://localhost", "http://127.0.0.1/x"),
        ("http://10.0.0.5:5000", "http://10.0.0.5:6000/x"),
    ],
)
def test_a_hop_that_a_registry_may_name(source: str, target: str) -> None:
    check_hop(Address.parse(source), Address.parse(target))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("https://r.example", "http://cdn.example/x"),
        ("https://r.example", "http://r.example/x"),
        ("https://r.example", "https://127.0.0.1/x"),
        ("https://r.example", "https://localhost/x"),
        ("https://r.example", "https://10.0.0.1/x"),
        ("https://r.example", "https://169.254.169.254/x"),
        ("https://r.example", "https://[::]/x"),
        ("https://r.example", "https://[fe80::1]/x"),
        ("https://r.example", "https://[::ffff:10.0.0.1]/x"),
        ("https://r.example", "https://[64:ff9b::a00:1]/x"),
        ("https://r.example", "https://[2002:a00:1::]/x"),
        ("https://r.example", "https://100.64.0.1/x"),
        ("https://r.example", "https://224.0.0.1/x"),
        ("https://r.example", "https://metadata.google.internal/x"),
        ("http://127.0.0.1", "http://10.0.0.1/x"),
        ("http://10.0.0.1", "http://10.0.0.2/x"),
    ],
)
def test_a_hop_that_no_registry_may_name(source: str, target: str) -> None:
    with pytest.raises(UnsafeAddress):
        check_hop(Address.parse(source), Address.parse(target))


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("https://registry-1.docker.io", "https://auth.docker.io/token"),
        ("http://127.0.0.1:5000", "https://auth.example/token"),
        ("http://127.0.0.1:5000", "http://localhost:5001/token"),
        ("https://10.0.0.1", "https://10.0.0.1:5001/token"),
        ("http://r.example", "http://r.example:81/token"),
    ],
)
def test_a_realm_where_credentials_may_go(registry: str, realm: str) -> None:
    check_realm(Address.parse(registry), Address.parse(realm))


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("https://r.example", "http://auth.example/token"),
        ("https://127.0.0.1", "http://127.0.0.1/token"),
        ("http://127.0.0.1", "http://auth.example/token"),
        ("http://r.example", "http://auth.example/token"),
        ("https://r.example", "https://8.8.8.8/token"),
        ("http://127.0.0.1", "https://8.8.8.8/token"),
    ],
)
def test_a_realm_where_credentials_must_not_go(registry: str, realm: str) -> None:
    with pytest.raises(UnsafeAddress):
        check_realm(Address.parse(registry), Address.parse(realm))


def test_a_next_page_stays_on_scheme_host_and_port() -> None:
    source = Address.parse("https://r.example/tags")
    check_same_origin(source, source.at("/tags?last=a"))
    with pytest.raises(UnsafeAddress):
        check_same_origin(source, Address.parse("https://r.example:444/tags"))
