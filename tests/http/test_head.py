from __future__ import annotations

import io
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_images.http.failures import BrokenOff, MalformedAnswer
from pytest_images.http.head import HEAD_LIMIT, HEADER_LIMIT, INTERIM_LIMIT, Head

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Pieces(io.RawIOBase):
    """A stream that gives out *content* in pieces that end at *cuts*, as a socket would."""

    def __init__(self, content: bytes, cuts: list[int] | None = None) -> None:
        places = sorted({0, *(min(cut, len(content)) for cut in cuts or ()), len(content)})
        self._pieces = [content[start:end] for start, end in pairwise(places)]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._pieces.pop(0) if self._pieces else b""
        count = min(len(view), len(piece))
        view[:count] = piece[:count]
        if piece[count:]:
            self._pieces.insert(0, piece[count:])
        return count


def read(content: bytes, method: str = "GET") -> Head:
    return Head.read(io.BytesIO(content), method)


def head(*lines: str, status: str = "HTTP/1.1 200 OK", end: str = "\r\n") -> Head:
    return read(end.join([status, *lines, "", ""]).encode("latin-1"))


def test_status_and_headers_are_read_and_the_body_is_left() -> None:
    source = io.BytesIO(b"HTTP/1.1 404 Not Found\r\nA: b\r\nContent-Length: 2\r\n\r\nno")
    found = Head.read(source, "GET")
    assert (found.status, found.length, found.is_chunked) == (404, 2, False)
    assert dict(found.headers) == {"a": "b", "content-length": "2"}
    assert source.read() == b"no"


@pytest.mark.parametrize(
    "line", ["HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 200", "HTTP/1.9 200 \xe9"]
)
def test_a_reason_may_be_anything_and_nothing(line: str) -> None:
    assert head(status=line).status == 200


@pytest.mark.parametrize(
    "line",
    [
        "HTTP/2 200 OK",
        "HTTP/2.0 200 OK",
        "HTTP/0.9 200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 abc",
        "HTTP/1.1 -20",
        "HTTP/1.1  200 OK",
        " HTTP/1.1 200 OK",
        "http/1.1 200 OK",
        "HTTP/1.10 200 OK",
        "HTTP/1.1 200\0OK",
        "HTTP/1.1 200 O\rK",
        "",
        "SSH-2.0-x",
    ],
)
def test_what_is_no_status_line_is_refused(line: str) -> None:
    with pytest.raises(MalformedAnswer, match="status line"):
        head(status=line)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_lines_may_end_in_a_bare_line_feed(end: str) -> None:
    assert head("A: 1", "B: 2", end=end).headers == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A:1", "1"),
        ("A: \t1 \t", "1"),
        ("A:", ""),
        ("A: 1: 2", "1: 2"),
        ("A: \xe9\x80", "\xe9\x80"),
        ("a: 1", "1"),
        ("A: one\r\n two\r\n\t three ", "one two three"),
        ("A:\r\n one", "one"),
    ],
)
def test_a_value_is_read_without_the_space_around_it_and_unfolded(line: str, value: str) -> None:
    assert head(line, "Z: z").headers == {"a": value, "z": "z"}


@pytest.mark.parametrize(
    "line",
    [
        "A",
        ": v",
        "A : v",
        "A b: v",
        "A\t: v",
        "\xe9: v",
        "A: \0",
        "A: \x1b[31m",
        "A: \x7f",
        "A: b\rc",
        "A(b): v",
        '"A": v',
    ],
)
def test_what_is_no_header_line_is_refused(line: str) -> None:
    with pytest.raises(MalformedAnswer, match="header line"):
        head(line)


def test_a_fold_before_the_first_header_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="space"):
        head(" A: b")


def test_headers_of_one_name_are_one_list_in_their_order() -> None:
    assert head("link: <a>", "LINK: <b>", "Link: <c>").headers["Link"] == "<a>, <b>, <c>"


@pytest.mark.parametrize("lines", [["Content-Length: 7"] * 2, ["Content-Length: 7, 7 ,7"]])
def test_a_length_said_several_times_alike_is_one(lines: list[str]) -> None:
    found = head(*lines)
    assert (found.length, found.headers["Content-Length"]) == (7, "7")


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 7", "Content-Length: 8"],
        ["Content-Length: 7, 8"],
        ["Content-Length: 7,"],
        ["Content-Length: -7"],
        ["Content-Length: +7"],
        ["Content-Length: 0x7"],
        ["Content-Length: 7_0"],
        ["Content-Length: "],
        ["Content-Length: 1\r\n 0"],
        ["Content-Length: \xb2"],
        ["Content-Length: 1" + "0" * 18],
    ],
)
def test_lengths_that_contradict_or_are_none_are_refused(lines: list[str]) -> None:
    with pytest.raises(MalformedAnswer, match="Content-Length"):
        head(*lines)


def test_chunks_beside_a_length_decide_and_cost_the_connection() -> None:
    found = head("Content-Length: 7", "Transfer-Encoding: Chunked")
    assert (found.length, found.is_chunked, found.keeps_alive) == (None, True, False)
    assert "Content-Length" not in found.headers


@pytest.mark.parametrize(
    "coding", ["gzip", "gzip, chunked", "chunked, chunked", "identity", "x", "", "chunked;a=b"]
)
def test_other_transfer_codings_are_refused(coding: str) -> None:
    with pytest.raises(MalformedAnswer, match="chunked"):
        head(f"Transfer-Encoding: {coding}")


def test_two_headers_of_transfer_codings_are_refused() -> None:
    with pytest.raises(MalformedAnswer, match="chunked"):
        head("Transfer-Encoding: chunked", "Transfer-Encoding: identity")


@pytest.mark.parametrize(
    ("status", "lines", "kept"),
    [
        ("HTTP/1.1", ["Content-Length: 0"], True),
        ("HTTP/1.1", ["Content-Length: 0", "Connection: x, Close"], False),
        ("HTTP/1.1", ["Content-Length: 0", "Connection: x", "Connection: close"], False),
        ("HTTP/1.1", ["Content-Length: 0", "Connection: keep-alive"], True),
        ("HTTP/1.1", ["Transfer-Encoding: chunked"], True),
        ("HTTP/1.1", [], False),
        ("HTTP/1.0", ["Content-Length: 0"], False),
        ("HTTP/1.0", ["Content-Length: 0", "Connection: Keep-Alive"], True),
        ("HTTP/1.0", ["Content-Length: 0", "Connection: keep-alive, close"], False),
        ("HTTP/1.0", ["Transfer-Encoding: chunked", "Connection: keep-alive"], False),
    ],
)
def test_a_connection_outlives_an_answer_as_its_version_says(
    status: str, lines: list[str], kept: bool
) -> None:
    assert head(*lines, status=f"{status} 200 OK").keeps_alive is kept


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("HEAD", 404)]
)
@pytest.mark.parametrize("line", ["Content-Length: 99", "Transfer-Encoding: chunked", "A: b"])
def test_an_answer_that_has_no_body_has_none_whatever_it_says(
    method: str, status: int, line: str
) -> None:
    found = read(f"HTTP/1.1 {status} x\r\n{line}\r\n\r\n".encode(), method)
    assert (found.length, found.is_chunked, found.keeps_alive) == (0, False, True)


def test_answers_that_announce_another_are_passed_over() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
    found = read(interim + b"HTTP/1.1 201 Created\r\nA: b\r\nContent-Length: 0\r\n\r\n", "PUT")
    assert (found.status, sorted(found.headers)) == (201, ["a", "content-length"])


def test_not_for_ever() -> None:
    with pytest.raises(MalformedAnswer, match="announce"):
        read(b"HTTP/1.1 102 Processing\r\n\r\n" * (INTERIM_LIMIT + 1))


def test_another_protocol_is_refused() -> None:
    with pytest.raises(MalformedAnswer, match="protocol"):
        head(status="HTTP/1.1 101 Switching Protocols")


def test_as_many_headers_as_allowed_are_read_and_one_more_is_refused() -> None:
    lines = [f"A{number}: b" for number in range(HEADER_LIMIT)]
    assert len(head(*lines).headers) == HEADER_LIMIT
    with pytest.raises(MalformedAnswer, match="headers"):
        head(*lines, "Z: z")


@pytest.mark.parametrize("count", [1, 50])
def test_a_head_as_large_as_allowed_is_read_and_one_byte_more_is_refused(count: int) -> None:
    around = len(b"HTTP/1.1 200 OK\r\n") + count * len("A: \r\n") + len("\r\n")
    values = ["x" * ((HEAD_LIMIT - around) // count)] * count
    values[0] += "x" * (HEAD_LIMIT - around - sum(map(len, values)))
    assert len(head(*(f"A: {value}" for value in values)).headers["a"]) > HEAD_LIMIT // 2
    with pytest.raises(MalformedAnswer, match="bytes"):
        head(*(f"A: {value}" for value in values[1:]), f"A: {values[0]}x")


def test_an_endless_line_is_not_read_to_its_end() -> None:
    source = io.BytesIO(b"HTTP/1.1 200 " + b"x" * (4 * HEAD_LIMIT))
    with pytest.raises(MalformedAnswer, match="bytes"):
        Head.read(source, "GET")
    assert source.tell() == HEAD_LIMIT


WHOLE = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 1\r\n\r\n"


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_a_head_that_breaks_off_anywhere_is_a_broken_connection(end: int) -> None:
    with pytest.raises(BrokenOff):
        read(WHOLE[:end])


def outcome(source: io.BufferedReader[Pieces] | io.BytesIO, method: str) -> object:
    try:
        return Head.read(source, method)
    except (BrokenOff, MalformedAnswer) as error:
        return type(error), str(error)


LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 404",
        b"HTTP/1.1 100 Continue",
        b"",
        b"Content-Length: 5",
        b"Content-Length: 5, 6",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b" folded",
        b"A: b",
        b"\xff: b",
        b"A: \r",
        b"\0",
        b"5;x=y",
        b"0",
    ]
)
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"", b"\r"])
ANSWERS = st.one_of(
    st.binary(max_size=200),
    st.lists(st.tuples(LINES, ENDS), max_size=20).map(
        lambda parts: b"HTTP/1.1 200 OK\r\n" * (len(parts) % 2) + b"".join(map(b"".join, parts))
    ),
)


@given(ANSWERS, st.lists(st.integers(0, 200), max_size=20), st.sampled_from(["GET", "HEAD"]))
@example(WHOLE, list(range(len(WHOLE))), "GET")
def test_the_same_bytes_mean_the_same_however_they_come(
    content: bytes, cuts: list[int], method: str
) -> None:
    whole = io.BytesIO(content)
    parts = io.BufferedReader(Pieces(content, cuts), 16)
    assert outcome(parts, method) == outcome(whole, method)
    assert parts.read() == whole.read()


@given(
    st.dictionaries(
        st.from_regex(r"[a-z-]{1,8}", fullmatch=True), st.text("ab ,\t\xe9", max_size=9)
    )
)
def test_what_was_written_is_read(values: dict[str, str]) -> None:
    for name in ("connection", "content-length", "transfer-encoding"):
        values.pop(name, None)
    found = head(*(f"{name.title()}:{value}" for name, value in values.items()))
    assert dict(found.headers) == {name: value.strip(" \t") for name, value in values.items()}


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 200 " + b" " * HEAD_LIMIT,
        b"HTTP/1.1 200\r\n" + b"A" * (HEAD_LIMIT - 100) + b"\r\n\r\n",
        b"HTTP/1.1 200\r\nA:" + b" \t" * (HEAD_LIMIT // 2 - 100) + b"\0\r\n\r\n",
        b"HTTP/1.1 200\r\nA: b" + b"\r\n " * 99 + b" " * (HEAD_LIMIT - 1000) + b"\r\n\r\n",
        b"HTTP/1.1 200\r\nConnection:" + b"," * (HEAD_LIMIT - 100) + b"\r\n\r\n",
        b"HTTP/1.1 200\r\nContent-Length:" + b"1," * (HEAD_LIMIT // 2 - 100) + b"\r\n\r\n",
        b"HTTP/1.1 200\r\nContent-Length:" + b"1" * (HEAD_LIMIT - 100) + b"\r\n\r\n",
    ],
    ids=["reason", "name", "value", "folds", "options", "lengths", "digits"],
)
def test_the_largest_heads_take_no_long_time(content: bytes) -> None:
    began = time.process_time()
    outcome(io.BytesIO(content), "GET")
    assert time.process_time() - began < 0.5
