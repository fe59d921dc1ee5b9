"""Expressions are compiled late, and are the standard ones then."""

from __future__ import annotations

import re

import pytest

from pytest_images.regex import regex


def test_it_matches_as_the_standard_one() -> None:
    word = regex(r"(\w)+", re.ASCII)
    assert word.fullmatch("abc") and not word.fullmatch("ä")
    assert word.sub("-", "ab cd") == "- -"
    assert word.pattern == r"(\w)+" and word.groups == 1
    assert regex(rb"a+").findall(b"aab a") == [b"aa", b"a"]


def test_a_bad_one_fails_where_it_is_used() -> None:
    broken = regex("(")
    with pytest.raises(re.error):
        broken.match("")


def test_what_was_looked_up_once_is_there() -> None:
    word = regex("a")
    assert word.match is word.match
    with pytest.raises(AttributeError):
        _ = word.nothing  # type: ignore[attr-defined]
