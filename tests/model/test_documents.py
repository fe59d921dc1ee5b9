from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.errors import ImagesError, InvalidDocument, LimitExceeded
from pytest_images.model.documents import (
    DEPTH_LIMIT,
    DOCUMENT_LIMIT,
    ITEM_LIMIT,
    exact_fields,
    folded_fields,
    load_json,
    load_object,
)
from tests.ledger import refused
from tests.model.strategies import ROUND_TRIP

MEBI = 1 << 20
NOT_STRICT = {
    "empty": b"",
    "blank": b"  ",
    "duplicate key": b'{"a": 1, "a": 1}',
    "duplicate key, escaped": b'{"a": 1, "\\u0061": 2}',
    "duplicate key, deep": b'[{"x": {"a": 1, "b": 2, "a": 3}}]',
    "NaN": b'{"size": NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"[-Infinity]",
    "infinite by its exponent": b"[1e999]",
    "high surrogate alone": b'["\\ud800"]',
    "low surrogate alone": b'["\\udc00"]',
    "surrogate in a key": b'{"\\ud800": 1}',
    "surrogates reversed": b'["\\udc00\\ud800"]',
    "surrogate in UTF-8": b'["\xed\xa0\x80"]',
    "not UTF-8": b'["\xff"]',
    "overlong UTF-8": b'["\xc0\x80"]',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "trailing text": b'{"a": 1} x',
    "two documents": b"{}{}",
    "trailing NUL": b"{}\0",
    "trailing comma": b"[1,]",
    "comment": b"{} // x",
    "single quotes": b"{'a': 1}",
    "control character": b'["\n"]',
    "leading zero": b"[01]",
    "plus": b"[+1]",
    "hexadecimal": b"[0x1]",
    "cut": b'{"a": [1, 2',
    "closed only": b"]" * 100,
}
# Built to make a careless parser slow, large or recursive: each 4 MiB or just below.
BOMBS: dict[str, Callable[[], bytes]] = {
    "open lists": lambda: b"[" * 4 * MEBI,
    "a million open lists": lambda: b"[" * 10**6,
    "nested lists": lambda: b"[" * 2 * MEBI + b"]" * 2 * MEBI,
    "nested objects": lambda: b'{"a":' * (4 * MEBI // 5),
    "some nested objects": lambda: b'{"a":' * 200_000,
    "many small lists": lambda: b"[" + b"[]," * (MEBI - 2) + b"[]]",
    "many small objects": lambda: b"[" + b"{}," * (MEBI - 2) + b"{}]",
    "many numbers": lambda: b"[" + b"0," * (2 * MEBI - 2) + b"0]",
    "many strings": lambda: b"[" + b'"ab",' * (800_000) + b'""]',
    "one integer": lambda: b"1" * 10**6,
    "one integer in a list": lambda: b"[" + b"9" * (4 * MEBI - 2) + b"]",
    "one negative integer": lambda: b"-" + b"1" * 10**6,
    "one fraction": lambda: b"0." + b"1" * (4 * MEBI - 2),
    "one exponent": lambda: b"1e" + b"9" * 10**6,
    "a string without end": lambda: b'"' + b"a" * (4 * MEBI - 1),
    "escaped quotes without end": lambda: b'"' + b'\\"' * (2 * MEBI - 1),
    "quotes and escapes": lambda: b'["' + b'\\"' * 190_000 + b"[" * 100,
    "backslashes": lambda: b'"' + b"\\" * (4 * MEBI - 1),
    "surrogates": lambda: b'["' + b"\\ud800" * 600_000 + b'"]',
    "one key again and again": lambda: b"{" + b'"a":1,' * 90_000 + b'"a":1}',
    "brackets that never match": lambda: b"[}" * 2 * MEBI,
    "beyond the limit": lambda: b" " * (DOCUMENT_LIMIT + 1),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@pytest.mark.parametrize("raw", NOT_STRICT.values(), ids=NOT_STRICT.keys())
def test_what_two_readers_could_read_differently_is_refused(raw: bytes) -> None:
    with refused(InvalidDocument, "example.json"):
        load_json(raw, "example.json")


@pytest.mark.parametrize("make", BOMBS.values(), ids=BOMBS.keys())
def test_a_document_built_to_exhaust_is_refused_at_once(make: Callable[[], bytes]) -> None:
    raw = make()
    with refused(ImagesError, "example.json"):
        load_json(raw, "example.json")


def test_a_recursion_limit_that_a_suite_has_raised_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)  # the parser of C would now overflow its stack
    try:
        with refused(LimitExceeded, "nesting"):
            load_json(b"[" * 10**6, "x")
    finally:
        sys.setrecursionlimit(before)


@given(JSON)
@ROUND_TRIP
def test_what_is_strict_is_read_as_the_standard_parser_reads_it(document: Any) -> None:
    for ascii_only in (True, False):
        try:
            raw = json.dumps(document, ensure_ascii=ascii_only).encode()
        except UnicodeEncodeError:
            continue
        assert load_json(raw, "x") == document


@given(st.binary(max_size=60) | st.text('{}[]":,\\u0a1e. ', max_size=40).map(str.encode))
@ROUND_TRIP
def test_any_bytes_are_a_document_or_refused(raw: bytes) -> None:
    try:
        load_json(raw, "x")
    except ImagesError as error:
        assert str(error).isprintable()


@pytest.mark.parametrize("bracket", ["[]", "{}"])
def test_nesting_is_taken_to_the_limit_and_not_beyond(bracket: str) -> None:
    start = bracket[0] if bracket == "[]" else '{"a":'
    for depth in (DEPTH_LIMIT - 1, DEPTH_LIMIT):
        inner = bracket
        raw = (start * (depth - 1) + inner + bracket[1] * (depth - 1)).encode()
        load_json(raw + b" " * 100, "x")
    raw = (start * DEPTH_LIMIT + bracket + bracket[1] * DEPTH_LIMIT).encode()
    with pytest.raises(LimitExceeded, match="nesting"):
        load_json(raw, "x")


def test_brackets_inside_of_text_are_no_nesting() -> None:
    text = "[" * 1000 + '"' + "{" * 1000 + "\\"
    assert load_json(json.dumps([text]).encode(), "x") == [text]


def test_commas_inside_of_text_are_no_values() -> None:
    text = "," * (ITEM_LIMIT + 10)
    assert load_json(json.dumps([text]).encode(), "x") == [text]


def test_a_document_of_exactly_the_limit_is_read() -> None:
    assert load_json(b"{}" + b" " * (DOCUMENT_LIMIT - 2), "x") == {}
    with pytest.raises(LimitExceeded, match=str(DOCUMENT_LIMIT)):
        load_json(b"{}" + b" " * (DOCUMENT_LIMIT - 1), "x")


def test_a_pair_of_surrogates_and_an_escaped_backslash_are_fine() -> None:
    assert load_json(b'["\\ud83d\\ude00", "\\\\ud800"]', "x") == ["\U0001f600", "\\ud800"]


@pytest.mark.parametrize("raw", [b"null", b"[]", b'""', b"0", b"true"])
def test_what_is_not_an_object_is_refused_where_an_object_is_wanted(raw: bytes) -> None:
    with refused(InvalidDocument, "not a JSON object"):
        load_object(raw, "x")


def test_a_field_in_another_case_is_refused_where_programs_write() -> None:
    exact_fields({"layers": 1, "custom": 2}, {"layers"}, "x")
    for key in ("Layers", "LAYERS", "layer\u017f"):
        with refused(InvalidDocument, "another case"):
            exact_fields({key: 1}, {"layers"}, "x")


def test_a_field_in_another_case_is_found_where_people_write() -> None:
    assert folded_fields({"cmd": 1, "own": 2}, {"Cmd"}, "x") == {"Cmd": 1, "own": 2}


@pytest.mark.parametrize("keys", [("Cmd", "cmd"), ("cmd", "Cmd"), ("CMD", "cmd")])
def test_one_field_in_two_spellings_is_refused(keys: tuple[str, str]) -> None:
    with refused(InvalidDocument, "differ in case only"):
        folded_fields(dict.fromkeys(keys, 1), {"Cmd"}, "x")
