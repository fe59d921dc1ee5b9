from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.server.refusal import Refusal
from pytest_images.server.wire import HEADER_LIMIT, check_beginning, parse_head

GET = b"GET /v2/ HTTP/1.1\r\nHost: localhost"


def test_a_plain_request_is_read_whole() -> None:
    request = parse_head(b"PUT /v2/a?n=1&last=b%2Bc HTTP/1.1\r\nHost: h\r\nContent-Length: 12")
    assert (request.method, request.path, request.length) == ("PUT", "/v2/a", 12)
    assert request.parameters() == {"n": ["1"], "last": ["b+c"]}
    assert request.keep_alive


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET /",
        b"GET / HTTP/0.9",
        b"GET / HTTP/2.0\r\nHost: h",
        b"get / HTTP/1.1\r\nHost: h",
        b"GET  / HTTP/1.1\r\nHost: h",
        b"GET /a b HTTP/1.1\r\nHost: h",
        b"GET http://h/v2/ HTTP/1.1\r\nHost: h",
        b"GET * HTTP/1.1\r\nHost: h",
        b"GET /\x00 HTTP/1.1\r\nHost: h",
        b"GET / HTTP/1.1\nHost: h",
        b"GET / HTTP/1.1",
        b"GET / HTTP/1.1\r\nHost: h\r\nHost: h",
        b"GET / HTTP/1.1\r\nHost : h",
        b"GET / HTTP/1.1\r\nHost: h\r\n folded: x",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: x\ny",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: x\ry",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: \x00",
        b"GET / HTTP/1.1\r\nHost: h\r\n: x",
        GET + b"\r\nContent-Length: 1\r\nContent-Length: 1",
        GET + b"\r\nContent-Length: 1, 1",
        GET + b"\r\nContent-Length: -1",
        GET + b"\r\nContent-Length: +1",
        GET + b"\r\nContent-Length: 0x10",
        GET + b"\r\nContent-Length: " + b"9" * 19,
        GET + b"\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        GET + b"\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        GET + b"\r\nTransfer-Encoding: gzip, chunked",
        GET + b"\r\nTransfer-Encoding: chunked, identity",
        GET + b"\r\nTransfer-Encoding: xchunked",
        b"GET / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked",
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_refused(head: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        parse_head(head)
    assert caught.value.status == 400
    assert caught.value.close


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (GET + b"\r\nX: y" * HEADER_LIMIT, 431),
        (GET + b"\r\nX: " + b"y" * 40_000, 431),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: h", 414),
        (GET + b"\r\nExpect: a miracle", 417),
    ],
)
def test_what_is_too_large_or_unknown_says_so(head: bytes, status: int) -> None:
    with pytest.raises(Refusal) as caught:
        parse_head(head)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (GET, True),
        (GET + b"\r\nConnection: close", False),
        (GET + b"\r\nConnection: Close, x", False),
        (b"GET / HTTP/1.0\r\nHost: h", False),
        (b"GET / HTTP/1.0", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive", True),
    ],
)
def test_the_client_decides_whether_the_connection_stays(head: bytes, keeps: bool) -> None:
    assert parse_head(head).keep_alive is keeps


@pytest.mark.parametrize(
    "data", [b"G", b"GET", b"GET /v2/ HT", b"GET /v2/ HTTP/1.1\r", b"GET / HTTP/1.1\r\nHost: a"]
)
def test_a_beginning_may_still_become_a_request(data: bytes) -> None:
    check_beginning(data, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"GET /v2/\r\n",
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.1\r\nHost: h\n\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"\r\n",
        b"HELO there",
        b"GET " + b"a" * 40_000,
    ],
)
def test_a_hopeless_beginning_is_refused_before_its_end(data: bytes) -> None:
    with pytest.raises(Refusal):
        check_beginning(data, 0)


def test_a_bare_line_feed_is_found_where_two_reads_meet() -> None:
    check_beginning(b"GET / HTTP/1.1\r", 0)
    check_beginning(b"GET / HTTP/1.1\r\n", 15)
    with pytest.raises(Refusal):
        check_beginning(b"GET / HTTP/1.1\r\nHost: h\n", 23)


def test_a_parameter_given_twice_is_refused() -> None:
    request = parse_head(b"GET /?digest=a&digest=b HTTP/1.1\r\nHost: h")
    with pytest.raises(Refusal):
        request.parameter("digest")


def test_a_thousand_parameters_are_refused() -> None:
    request = parse_head(b"GET /?" + b"&".join([b"a"] * 1000) + b" HTTP/1.1\r\nHost: h")
    with pytest.raises(Refusal):
        request.parameters()


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.binary(max_size=80).map(lambda b: GET + b"\r\n" + b))
def test_any_bytes_are_read_or_refused(head: bytes) -> None:
    try:
        request = parse_head(head)
    except Refusal as refusal:
        assert 400 <= refusal.status < 500
    else:
        assert request.target.startswith("/")
        assert "\r" not in "".join(request.headers.values())
