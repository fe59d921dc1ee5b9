from __future__ import annotations

import pytest

from pytest_images.engine.globs import compiled
from pytest_images.errors import InvalidUsage

# From the tests of Go's path.Match.
GO = [
    ("abc", "abc", True),
    ("*", "abc", True),
    ("*c", "abc", True),
    ("a*", "ab/c", False),
    ("a*/b", "abc/b", True),
    ("a*b*c*d*e*/f", "axbxcxdxe/f", True),
    ("a*b?c*x", "abxbbxdbxebxczzx", True),
    ("ab[c]", "abc", True),
    ("ab[b-d]", "abc", True),
    ("ab[e-g]", "abc", False),
    ("ab[^c]", "abc", False),
    ("ab[^e-g]", "abc", True),
    ("a\\*b", "a*b", True),
    ("a\\*b", "ab", False),
    ("a?b", "a☺b", True),
    ("a???b", "a☺b", False),
    ("[a-ζ]*", "β", True),
    ("a?b", "a/b", False),
    ("[\\]a]", "]", True),
    ("[\\-]", "-", True),
    ("[x\\-]", "-", True),
    ("*x", "xxx", True),
    ("**/c", "a/c", True),
    ("a\\**", "a*bc", True),
    ("a\\**", "abc", False),
]


@pytest.mark.parametrize(("pattern", "name", "matches"), GO)
def test_patterns_match_as_go_s_do(pattern: str, name: str, matches: bool) -> None:
    assert bool(compiled(pattern).fullmatch(name)) is matches


@pytest.mark.parametrize(
    "pattern", ["[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "a["]
)
def test_malformed_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(InvalidUsage, match="syntax error in pattern"):
        compiled(pattern)


def test_many_stars_take_no_long_time() -> None:
    assert not compiled("*a" * 12 + "b").fullmatch("a" * 60)


def test_a_pattern_has_a_limit() -> None:
    with pytest.raises(InvalidUsage):
        compiled("a" * 2000)
