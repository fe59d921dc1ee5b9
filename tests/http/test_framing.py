from __future__ import annotations

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.http.failures import BrokenOff, MalformedAnswer
from pytest_images.http.framing import CHUNK_LINE_LIMIT, Chunked, Counted, Endless
from pytest_images.http.head import HEAD_LIMIT
from tests.http.test_head import Pieces


def chunked(content: bytes) -> Chunked:
    return Chunked(io.BufferedReader(io.BytesIO(content)))


def everything(body: Chunked | Counted | Endless, size: int = 7) -> bytes:
    found = b""
    while piece := body.read1(size):
        found += piece
    return found


def test_a_counted_body_ends_after_its_bytes_and_leaves_the_rest() -> None:
    source = io.BufferedReader(io.BytesIO(b"onetwo"))
    body = Counted(source, 3)
    assert (body.read(2), body.is_over) == (b"on", False)
    assert (body.read(2), body.is_over) == (b"e", True)
    assert (body.read(2), body.read1(2)) == (b"", b"")
    assert source.read() == b"two"


@pytest.mark.parametrize("read", ["read", "read1"])
def test_a_counted_body_that_breaks_off_gives_what_came_and_then_says_so(read: str) -> None:
    body = Counted(io.BytesIO(b"on"), 3)
    assert getattr(body, read)(3) == b"on"
    for _ in range(2):
        with pytest.raises(BrokenOff, match="1 bytes"):
            getattr(body, read)(3)
    assert not body.is_over


def test_an_empty_body_is_over_at_once() -> None:
    assert Counted(io.BytesIO(b"next"), 0).is_over


def test_an_endless_body_ends_with_its_connection() -> None:
    body = Endless(io.BytesIO(b"onetwo"))
    assert (body.read(4), body.read1(9), body.is_over) == (b"onet", b"wo", False)
    assert (body.read(1), body.is_over, body.read1(1)) == (b"", True, b"")


def test_chunks_are_put_together_and_what_follows_them_is_left() -> None:
    content = (
        b'3\r\none\r\nA;x=y;z="a b"\r\ntwothreefo\r\n00 \t\r\nTrailer: x\r\nB: c\r\n\r\nHTTP/1.1'
    )
    source = io.BufferedReader(io.BytesIO(content))
    body = Chunked(source)
    assert (body.read(5), body.is_over) == (b"onetw", False)
    assert (body.read(99), body.is_over, body.read(1), body.read1(1)) == (
        b"othreefo",
        True,
        b"",
        b"",
    )
    assert source.read() == b"HTTP/1.1"


def test_nothing_is_read_for_nothing() -> None:
    body = chunked(b"")
    assert (body.read(0), body.read1(0)) == (b"", b"")


CHUNKS = b"3\r\none\r\n2;x\r\ntw\r\n0\r\nA: b\r\n\r\n"


@pytest.mark.parametrize("end", range(len(CHUNKS)))
def test_chunks_that_break_off_anywhere_are_a_broken_connection(end: int) -> None:
    body = chunked(CHUNKS[:end])
    with pytest.raises(BrokenOff):
        everything(body)
    assert not body.is_over


@pytest.mark.parametrize(
    "content",
    [
        b"3\none\r\n",
        b"3\r\none\n0\r\n\r\n",
        b"3\r\noneX\r\n",
        b"3\r\none0\r\n\r\n",
        b"\r\n",
        b"-1\r\nx\r\n",
        b"+1\r\nx\r\n",
        b"0x1\r\nx\r\n",
        b"1_0\r\nx\r\n",
        b" 1\r\nx\r\n",
        b"g\r\n",
        b"1 1\r\nx\r\n",
        b"1;\0\r\nx\r\n",
        b"1;a\rb\r\nx\r\n",
        b"1000000000000000\r\nx\r\n",
        b"1;" + b"x" * CHUNK_LINE_LIMIT + b"\r\nx\r\n",
        b"1" * CHUNK_LINE_LIMIT,
        b"0\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"0\r\n" + b"x" * HEAD_LIMIT,
    ],
)
def test_what_is_no_chunk_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        everything(chunked(content))


def outcome(source: io.RawIOBase, *, whole: bool) -> tuple[bytes, object]:
    body = Chunked(io.BufferedReader(source, 16))
    found = b""
    try:
        while piece := (body.read if whole else body.read1)(5):
            found += piece
    except (BrokenOff, MalformedAnswer) as error:
        return (b"" if whole else found), type(error)  # `read` keeps no part of what fails
    return found, body.is_over


PARTS = st.sampled_from(
    [b"3", b"0", b"1;a=b", b"\r\n", b"\r\n", b"\n", b"abc", b"x", b"A: b", b"\0"]
)


@given(
    st.one_of(st.binary(max_size=60), st.lists(PARTS, max_size=20).map(b"".join)),
    st.lists(st.integers(0, 60), max_size=20),
    st.booleans(),
)
def test_the_same_chunks_mean_the_same_however_they_come(
    content: bytes, cuts: list[int], whole: bool
) -> None:
    assert outcome(Pieces(content, cuts), whole=whole) == outcome(Pieces(content), whole=whole)


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=10), st.integers(1, 40))
def test_what_was_cut_into_chunks_is_read_whole(chunks: list[bytes], size: int) -> None:
    content = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks)
    body = chunked(content + b"0\r\n\r\n")
    assert everything(body, size) == b"".join(chunks)
    assert body.is_over


def test_many_small_chunks_take_no_long_time() -> None:
    began = time.process_time()
    assert everything(chunked(b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n"), 4096) == b"x" * 20_000
    assert time.process_time() - began < 1.0
