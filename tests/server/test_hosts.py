from __future__ import annotations

import pytest

from pytest_images.server.hosts import check_caller, host_of, is_loopback
from pytest_images.server.refusal import Refusal


@pytest.mark.parametrize(
    ("authority", "host"),
    [("a", "a"), ("a:80", "a"), ("[::1]", "::1"), ("[::1]:80", "::1"), ("", ""), ("a:b", ""),
     ("[::1", ""), ("[::1]x80", ""), ("a:80:90", "")],
)  # fmt: skip
def test_the_host_of_an_authority(authority: str, host: str) -> None:
    assert host_of(authority) == host


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost.", "app.localhost", "127.0.0.1", "127.9.9.9", "::1"],
)
def test_names_that_only_mean_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0", "10.0.0.1",
     "0x7f.1", "2130706433", "127.1", "notlocalhost", "::"],
)  # fmt: skip
def test_names_that_may_mean_another(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:5000"},
        {"host": "localhost", "origin": "http://evil.example"},
        {"host": "localhost", "origin": "null"},
        {"host": "localhost", "origin": "http://["},
        {"host": "localhost", "sec-fetch-site": "cross-site"},
    ],
)
def test_web_pages_of_other_sites_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Refusal) as caught:
        check_caller(headers, "127.0.0.1")
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("headers", "bound"),
    [
        ({}, "127.0.0.1"),
        ({"host": "localhost:5000"}, "127.0.0.1"),
        ({"host": "127.0.0.1:5000", "origin": "http://localhost:3000"}, "127.0.0.1"),
        ({"host": "[::1]:5000"}, "::1"),
        ({"host": "ci-runner.internal:5000"}, "0.0.0.0"),
    ],
)
def test_programs_are_served(headers: dict[str, str], bound: str) -> None:
    check_caller(headers, bound)


def test_a_malformed_host_is_a_malformed_request() -> None:
    with pytest.raises(Refusal) as caught:
        check_caller({"host": "a:b:c"}, "127.0.0.1")
    assert caught.value.status == 400
