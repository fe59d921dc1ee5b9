from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.server import ranges
from pytest_images.server.refusal import Refusal


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=5-", (5, 95)),
        ("bytes=-5", (95, 5)),
        ("bytes=-500", (0, 100)),
        ("bytes=99-99", (99, 1)),
        (f"bytes=0-{2**62}", (0, 100)),
    ],
)
def test_one_range_gives_its_part(header: str, part: tuple[int, int]) -> None:
    assert ranges.asked(header, 100) == part


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=-",
        "bytes=9-5",
        "bytes=0-1,5-6",
        "bytes=" + ",".join(["0-0"] * 10_000),
        "bytes= 0-1",
        "items=0-1",
        "bytes=a-b",
        "bytes=" + "9" * 40 + "-",
        "bytes=٣-٤",
    ],
)
def test_what_is_no_single_range_gives_the_whole(header: str | None) -> None:
    assert ranges.asked(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", f"bytes={2**62}-"])
def test_a_range_beyond_the_end_is_refused_with_the_size(header: str) -> None:
    with pytest.raises(Refusal) as caught:
        ranges.asked(header, 100)
    assert caught.value.status == 416
    assert dict(caught.value.headers) == {"Content-Range": "bytes */100"}


def test_no_range_fits_into_nothing() -> None:
    for header in ("bytes=0-", "bytes=-1", "bytes=0-0"):
        with pytest.raises(Refusal):
            ranges.asked(header, 0)


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 500))
def test_a_part_lies_within_the_content(first: int, last: int, size: int) -> None:
    try:
        part = ranges.asked(f"bytes={first}-{last}", size)
    except Refusal:
        assert first >= size
    else:
        content = range(size)
        wanted = content[first : last + 1] if first <= last else content
        offset, count = part or (0, size)
        assert content[offset : offset + count] == wanted


@pytest.mark.parametrize(
    ("header", "length", "offset"),
    [
        ("0-9", 10, 0),
        ("10-19", 10, 10),
        ("bytes 10-19/100", 10, 10),
        ("10-19", None, 10),
        ("0-0", 0, 0),
        ("0-9", 9, None),
        ("9-0", 10, None),
        ("-9", 10, None),
        ("0-", 10, None),
        ("", 10, None),
        ("zero-nine", 10, None),
        ("0-9,10-19", 20, None),
        ("9" * 30 + "-" + "9" * 31, 10, None),
    ],
)
def test_a_chunk_says_where_it_begins(header: str, length: int | None, offset: int | None) -> None:
    assert ranges.chunk(header, length) == offset


def test_an_upload_without_a_byte_reports_the_only_text_there_is() -> None:
    assert [ranges.received(offset) for offset in (0, 1, 2)] == ["0-0", "0-0", "0-1"]
