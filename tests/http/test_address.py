from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.errors import InvalidAddress
from pytest_images.http.address import Address, is_loopback, split_host

HOSTS = st.text(string.ascii_lowercase + "-.", min_size=1, max_size=20).filter(
    lambda text: text[0].isalpha() and text[-1].isalpha() and ".." not in text
)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://Registry.example", "https://registry.example/"),
        ("http://127.0.0.1:5000/v2/?n=1", "http://127.0.0.1:5000/v2/?n=1"),
        ("HTTPS://r.example:443/v2/a%2Fb", "https://r.example/v2/a%2Fb"),
        ("http://[0:0:0:0:0:0:0:1]:80/", "http://[::1]/"),
        ("https://r.example?x=@y", "https://r.example/?x=@y"),
    ],
)
def test_an_address_is_read_into_one_spelling(text: str, url: str) -> None:
    assert Address.parse(text).url == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "registry.example",
        "ftp://registry.example/",
        "https:///v2/",
        "https://user@registry.example/",
        "https://user:word@registry.example/",
        "https://registry.example\\@evil.example/",
        "https://registry.example/#fragment",
        "https://registry.example/a b",
        "https://registry.example/\x00",
        "https://registry.example/\n",
        "https://r\u00e9gistry.example/",
        "https://registry.example:0/",
        "https://registry.example:65536/",
        "https://registry.example:+80/",
        "https://registry.example:/x:y",
        "https://a..b/",
        "https://-a.example/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://1.2.3.4.5/",
        "https://[::1/",
        "https://[::1%25eth0]/",
        "https://[127.0.0.1]/",
        "https://" + "a" * 20000,
    ],
)
def test_what_two_readers_could_read_differently_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        Address.parse(text)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("[::1]", True),
        ("localhost.", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("0.0.0.0", False),
        ("[::]", False),
        ("[::ffff:127.0.0.1]", False),
        ("128.0.0.1", False),
        ("registry.local", False),
    ],
)
def test_loopback_is_exactly_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/v2/x", "http://r.example:5000/v2/x"),
        ("?n=2", "http://r.example:5000/a/b?n=2"),
        ("c?d=e", "http://r.example:5000/a/c?d=e"),
        ("//other.example/x", "http://other.example/x"),
        ("https://other.example", "https://other.example/"),
        ("../../../../x", "http://r.example:5000/x"),
    ],
)
def test_a_location_is_resolved_against_where_it_came_from(location: str, url: str) -> None:
    assert Address.parse("http://r.example:5000/a/b?q=1").join(location).url == url


def test_a_message_shows_no_query_which_may_hold_a_signature() -> None:
    assert str(Address.parse("https://cdn.example/x?sig=canary")) == "https://cdn.example/x"


def test_host_and_port_are_split_as_in_an_address() -> None:
    assert split_host("[::1]:5000") == ("[::1]", 5000)
    assert split_host("r.example") == ("r.example", None)


@settings(max_examples=100, derandomize=True)
@given(HOSTS, st.integers(1, 65535))
def test_what_an_address_writes_it_reads_back(host: str, port: int) -> None:
    address = Address.parse(f"https://{host}:{port}/v2/")
    assert Address.parse(address.url) == address


@settings(max_examples=300, derandomize=True)
@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "https://h/", "//"]))
def test_any_text_is_an_address_or_refused(text: str, start: str) -> None:
    try:
        address = Address.parse(start + text)
    except InvalidAddress:
        return
    assert Address.parse(address.url) == address
