"""Expansion as a table: each group of rows names the document or test that it restates."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.dockerfile.expand import DEPTH_LIMIT, SIZE_LIMIT, Expander
from pytest_images.dockerfile.malformed import Malformed

HOME = {"HOME": "/root", "EMPTY": "", "WORD": "größe", "SHELL": "ash"}
ERROR = None

# BuildKit, shell/envVarTest: quotes, escapes, names and the forms with - + ?
QUOTING = [
    ("plain", "plain"),
    ("a'b c'd", "ab cd"),
    ("a'b", ERROR),
    ("a\\'b", "a'b"),
    ("a\\\\'b", ERROR),
    ("x\\ty", "xty"),
    ('"x\\ty"', "x\\ty"),
    ('"x\\\\ty"', "x\\ty"),
    ("'x\\ty'", "x\\ty"),
    ("end\\", "end"),
    ("end\\\\", "end\\"),
    ('"open', ERROR),
    ('"open\\"', ERROR),
    ("'closed\\'", "closed\\"),
    ('"it\'s"', "it's"),
    ("'\"q\"'", '"q"'),
    ("\"''\"", "''"),
    ("größe", "größe"),
    ("\"größe'", ERROR),
]
NAMES = [
    ("$.", "$."),
    ("a$", "a$"),
    ("a$HOME", "a/root"),
    ("a${HOME}b", "a/rootb"),
    ("a$HOMEb", "a"),
    ("a$none.", "a."),
    ("a\\$HOME", "a$HOME"),
    ("a\\\\$HOME", "a\\/root"),
    ('"$HOME"', "/root"),
    ("'$HOME'", "$HOME"),
    ('"a\\$HOME"', "a$HOME"),
    ("\"a'$HOME'\"", "a'/root'"),
    ("\\${}", "${}"),
    ("${}", ERROR),
    ("${{HOME}", ERROR),
    ("${.}", ERROR),
    ("${HOME", ERROR),
    ("${", ERROR),
    ("${HOME}}", "/root}"),
    ("$WORD", "größe"),
    ("$1x", "x"),
    ("${12}x", "x"),
    ("$12x", "x"),
    ("$@@", "@"),
    ("$$", ""),
    ("${#}", ""),
    ("${-:-none}", "none"),
    ("${1:-none}", "none"),
]
DEFAULTS = [
    ("${HOME:-x}", "/root"),
    ("${NONE:-x}", "x"),
    ("${EMPTY:-x}", "x"),
    ("${EMPTY-x}", ""),
    ("${NONE-x}", "x"),
    ("${NONE:-$HOME}", "/root"),
    ("${NONE:-${OTHER:-x y}}", "x y"),
    ("${NONE:-\\$HOME:}", "$HOME:"),
    ("${NONE:-a {b}", "a {b"),
    ("${NONE:-a ${HOME}", ERROR),
    ("${NONE:-}", ""),
    ("${HOME:+x}", "x"),
    ("${HOME:+${HOME}:}", "/root:"),
    ("${EMPTY:+x}", ""),
    ("${EMPTY+x}", "x"),
    ("${NONE+x}", ""),
    ("${HOME:?}", "/root"),
    ("${EMPTY?}", ""),
    ("${EMPTY:?}", ERROR),
    ("${NONE?}", ERROR),
    ("${NONE:?}", ERROR),
    ("${HOME:=x}", ERROR),
    ("${HOME=x}", ERROR),
    ("${HOME:x}", ERROR),
    ("${:-x}", ERROR),
]
# BuildKit, shell/lex_test.go (TestProcessWithMatches); the reference, "Environment replacement"
VALUES = {"P": "/a/b/c.tar.gz", "S": "foobarbaz", "X": "x*y?z", "B": "()[]{}^$.*?|\\x", "D": "a.b"}
PATTERNS = [
    ("${S#f*b}", "arbaz"),
    ("${S##f*b}", "az"),
    ("${S%b*}", "foobar"),
    ("${S%%b*}", "foo"),
    ("${S#z}", "foobarbaz"),
    ("${S#}", "foobarbaz"),
    ("${S##}", "foobarbaz"),
    ("${S#?}", "oobarbaz"),
    ("${S%???}", "foobar"),
    ("${S#*}", "foobarbaz"),
    ("${S##*}", ""),
    ("${P##*/}", "c.tar.gz"),
    ("${P%/*}", "/a/b"),
    ("${P%%.*}", "/a/b/c"),
    ("${P%.*}", "/a/b/c.tar"),
    ("${D%.*}", "a"),
    ("${X#x\\*}", "y?z"),
    ("${X%\\?z}", "x*y"),
    ("${B#()[]{\\}^$.\\*\\?|\\\\}", "x"),
    ("${S#\\x}", ERROR),
    ("${S:#x}", ERROR),
    ("${S:%x}", ERROR),
    ("${NONE#x}", ""),
    ("${S#$HEAD}", "foobarbaz"),
]
REPLACED = [
    ("${S/ba/X}", "fooXrbaz"),
    ("${S//ba/X}", "fooXrXz"),
    ("${S/o*a/-}", "f-z"),
    ("${S//?/.}", "........."),
    ("${S/zz/X}", "foobarbaz"),
    ("${S//b/}", "fooaraz"),
    ("${P//\\//\\/}", "\\/a\\/b\\/c.tar.gz"),
    ("${P/\\/a/}", "/b/c.tar.gz"),
    ("${S///}", "foobarbaz"),
    ("${D//*/x}", "x"),
    ("${NONE/a/b}", ""),
    ("${S/a}", ERROR),
    ("${S//}", ERROR),
    ("${S/a/b", ERROR),
]


def expanded(text: str, variables: dict[str, str], escape: str = "\\") -> str | None:
    try:
        return Expander(variables, escape).word(text)
    except Malformed:
        return ERROR


@pytest.mark.parametrize(("text", "expected"), [*QUOTING, *NAMES, *DEFAULTS])
def test_a_word_is_expanded_as_buildkit_expands_it(text: str, expected: str | None) -> None:
    assert expanded(text, HOME) == expected


@pytest.mark.parametrize(("text", "expected"), [*PATTERNS, *REPLACED])
def test_a_value_is_changed_as_its_pattern_says(text: str, expected: str | None) -> None:
    assert expanded(text, VALUES) == expected


# BuildKit, shell/wordsTest
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a${NONE}b", ["ab"]),
        ("a${GAP}b", ["ax", "yb"]),
        ('a"${GAP}"b', ["ax  yb"]),
        ("a${LEAD}b", ["a", "xb"]),
        ("a${TAIL}b", ["ax", "b"]),
        ('a" b  "', ["a b  "]),
        ("a  b", ["a", "b"]),
        ("a\\ b", ["a b"]),
        ('""', []),
        ("", []),
        ("'$GAP'", ["$GAP"]),
    ],
)
def test_words_are_split_after_expansion_where_nothing_is_quoted(
    text: str, expected: list[str]
) -> None:
    values = {"GAP": "x  y", "LEAD": " x", "TAIL": "x "}
    assert Expander(values).words(text) == expected


def test_the_message_of_a_missing_variable_is_expanded_itself() -> None:
    with pytest.raises(Malformed, match=r"^NAME: give a name for /root$"):
        Expander(HOME).word("${NAME:?give a name for $HOME}")
    with pytest.raises(Malformed, match=r"^EMPTY: is not allowed to be empty$"):
        Expander(HOME).word("${EMPTY:?}")


def test_a_backtick_may_be_the_escape_character() -> None:
    assert expanded("c:\\a`$HOME", HOME, "`") == "c:\\a$HOME"


def test_quotes_mean_nothing_in_a_here_document() -> None:
    assert Expander(HOME).body("\"$HOME\" '$HOME' \\$HOME \\\\") == "\"/root\" '/root' $HOME \\"


def test_an_expander_remembers_what_was_not_set_and_sees_changes() -> None:
    variables = {"A": "1"}
    by = Expander(variables)
    assert by.word("$A$B${C:-x}") == "1x"
    assert by.unset == {"B", "C"}
    variables["B"] = "2"
    assert by.word("$B") == "2"


def test_forms_nest_so_deep_and_no_deeper() -> None:
    def nested(depth: int) -> str:
        return "${N:-" * depth + "x" + "}" * depth

    assert expanded(nested(DEPTH_LIMIT), {}) == "x"
    for depth in (DEPTH_LIMIT + 1, 10_000):
        with pytest.raises(Malformed, match="nested more than"):
            Expander({}).word(nested(depth))


def test_a_doubled_value_meets_the_limit_of_size() -> None:
    variables = {"A": "x" * 1024}
    by = Expander(variables)
    with pytest.raises(Malformed, match="longer than"):
        for _ in range(30):
            variables["A"] = by.word("$A$A")
    assert len(variables["A"]) <= SIZE_LIMIT
    with pytest.raises(Malformed, match="longer than"):
        by.word("${A//x/" + "y" * 1024 + "}")


@pytest.mark.parametrize(
    "text",
    [
        "${A##*a*a*a*a*a*a*a*a*b}",
        "${A%%b*a*a*a*a*a*a*a*a*}",
        "${A/a*a*a*a*a*a*b/x}",
        "${A//*a*b/x}",
        "${A//a?b/x}",
    ],
)
def test_no_pattern_takes_more_than_linear_time(text: str) -> None:
    """An exploding or quadratic match of 200,000 characters would take minutes."""
    started = time.process_time()
    Expander({"A": "a" * 200_000}).word(text)
    assert time.process_time() - started < 5


PIECES = st.sampled_from(
    ["$", "{", "}", "${", "A", "B", ":", "-", "+", "?", "#", "%", "/", "\\", "'", '"', " ", "<<",
     "*", "é", "1", "\t"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join), st.text("ab*?\\/\n", max_size=8))
def test_any_text_is_expanded_or_refused_and_never_crashes(text: str, value: str) -> None:
    by = Expander({"A": value, "B": ""})
    for read in (by.word, by.words, by.body):
        try:
            read(text)
        except Malformed as problem:
            assert str(problem)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="$\\'\"<"), max_size=40))
def test_text_without_special_characters_stays_as_it_is(text: str) -> None:
    assert Expander({}).word(text) == text
