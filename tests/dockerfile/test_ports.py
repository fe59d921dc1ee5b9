from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.dockerfile.durations import parse_duration
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.dockerfile.ports import parse_ports


# BuildKit, dockerfile2llb/convert_expose_test.go and the reference, "EXPOSE"
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", ("80/tcp",)),
        ("80/tcp", ("80/tcp",)),
        ("80/UDP", ("80/udp",)),
        ("80/", ("80/tcp",)),
        ("5/sctp", ("5/sctp",)),
        ("1-3", ("1/tcp", "2/tcp", "3/tcp")),
        ("3-3", ("3/tcp",)),
        ("0", ("0/tcp",)),
        ("8080:80", ("80/tcp",)),
        ("127.0.0.1:8080:80", ("80/tcp",)),
        ("[::1]:8080:80", ("80/tcp",)),
        ("::1:8080:80", ("80/tcp",)),
        ("8000-8010:80", ("80/tcp",)),
    ],
)
def test_a_port_is_read(text: str, expected: tuple[str, ...]) -> None:
    assert parse_ports([text]) == expected


@pytest.mark.parametrize(
    "text",
    ["", "/tcp", "x", "80/icmp", "65536", "3-1", "1-", "-1", "1-x", "x:80", "300.1.1.1:1:80",
     "[::g]:1:80", "1-2:3-5", "80/tcp/udp", "8_0", "٨٠"]
)  # fmt: skip
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_ports([text])


def test_all_ports_may_be_exposed_but_not_again_and_again() -> None:
    assert len(parse_ports(["0-65535", "0-65535/udp", "80"])) == 2 * 65536 + 0
    started = time.process_time()
    with pytest.raises(Malformed, match="again and again"):
        parse_ports([f"{first}-65535" for first in range(10_000)])
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("1ns", 1), ("1us", 1000), ("1µs", 1000), ("1ms", 10**6), ("30s", 30 * 10**9),
     ("1m", 60 * 10**9), ("1.5h", 5400 * 10**9), ("1h2m3s", 3723 * 10**9), (".5s", 5 * 10**8),
     ("-1s", -(10**9)), ("0", 0), ("+2s", 2 * 10**9), ("1.s", 10**9)]
)  # fmt: skip
def test_a_duration_is_read_as_go_reads_it(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "5", "s", "1d", "1s2", ".s", "1 s", "-", "9999999h", "1e3s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="invalid duration"):
        parse_duration(text)


@given(st.text("0123456789.-+nuµmsh"))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        parse_duration(text)
    except Malformed as problem:
        assert text in str(problem)
