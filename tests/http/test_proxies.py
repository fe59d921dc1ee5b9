from __future__ import annotations

import pytest

from pytest_images.errors import InvalidConfiguration
from pytest_images.http.address import Address
from pytest_images.http.proxies import Proxies

PROXY = {"https_proxy": "http://proxy.example:3128", "HTTP_PROXY": "proxy.example"}


def proxy_for(url: str, **known: str) -> str | None:
    found = Proxies.from_environment({**PROXY, **known}).for_address(Address.parse(url))
    return found.reveal() if found else None


def test_each_scheme_has_its_proxy() -> None:
    assert proxy_for("https://r.example") == "http://proxy.example:3128"
    assert proxy_for("http://r.example") == "http://proxy.example"
    assert Proxies.from_environment({}).for_address(Address.parse("https://r.example")) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_loopback_never_has_a_proxy(host: str) -> None:
    assert proxy_for(f"https://{host}:5000") is None


@pytest.mark.parametrize(
    ("rule", "direct"),
    [
        ("*", True),
        ("r.example", True),
        (".example", True),
        ("*.example", True),
        ("example", True),
        ("r.example:443", True),
        ("r.example:5000", False),
        ("evil-r.example", False),
        ("ample", False),
        ("10.0.0.0/8", False),
        ("other.test, r.example", True),
    ],
)
def test_no_proxy_names_whole_names(rule: str, direct: bool) -> None:
    assert (proxy_for("https://r.example", no_proxy=rule) is None) is direct


@pytest.mark.parametrize(
    ("rule", "direct"), [("10.0.0.0/8", True), ("10.1.2.3", True), ("10.1.2", False)]
)
def test_no_proxy_names_networks(rule: str, direct: bool) -> None:
    assert (proxy_for("https://10.1.2.3", NO_PROXY=rule) is None) is direct


def test_a_header_of_a_cgi_is_no_proxy() -> None:
    assert proxy_for("http://r.example", REQUEST_METHOD="GET") is None


@pytest.mark.parametrize(
    "text", ["socks5://u:canary@p.example", "http://u:canary@", "http://u:canary@a b"]
)
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        Proxies.from_environment({"https_proxy": text})
    assert "canary" not in str(caught.value)


def test_a_proxys_password_is_not_shown() -> None:
    proxies = Proxies.from_environment({"https_proxy": "http://me:canary@p.example"})
    assert "canary" not in repr(proxies)
