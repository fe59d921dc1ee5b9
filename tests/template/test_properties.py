"""Whatever is written or given, a template ends in a text or in a typed error, in linear time."""

from __future__ import annotations

import gc
import json
import time
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_images.errors import ImagesError
from pytest_images.template.functions import FUNCTIONS
from pytest_images.template.go_json import to_json
from pytest_images.template.lexer import KEYWORDS, quoted, tokens
from pytest_images.template.literals import string
from pytest_images.template.printf import printf
from pytest_images.template.template import Template
from tests.template.dialect import CASES

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text("abA", max_size=2), inner)
)
PIECES = st.sampled_from(
    [
        *(*KEYWORDS, *FUNCTIONS, "{{", "}}", "{{-", "-}}", "(", ")", "|", ":=", "=", "$", "$x"),
        *(".", ".a", ".A.b", "1", "-1.5", "0x1F", '"a"', "`b`", "'c'", "nil", "true", " ", "\n"),
        *(",", "/*", "*/", '"%d"', '"%[2]*.3v"', "{{end}}", "{{else}}", "{{.}}", "x"),
    ]
)
WRITTEN = st.lists(PIECES, max_size=30).map(" ".join) | st.lists(PIECES, max_size=30).map("".join)


def rendered(text: str, value: object) -> str:
    return Template.parse(text).render(value)


@given(WRITTEN | st.text(max_size=40), VALUES, st.booleans())
@example('{{define "a"}}{{end}}{{template "a" .}}{{index .', {}, False)
def test_whatever_is_written_ends_in_a_text_or_an_error_of_ours(
    text: str, value: object, strict: bool
) -> None:
    with suppress(ImagesError):
        Template.parse(text).render(value, strict=strict)


@given(st.sampled_from([case[0] for case in CASES]), VALUES, st.data())
def test_real_templates_that_are_damaged_do_too(
    text: str, value: object, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(text)))
    with suppress(ImagesError):
        rendered(text[:at] + data.draw(PIECES) + text[at + data.draw(st.integers(0, 3)) :], value)


@given(WRITTEN | st.text())
def test_the_tokens_of_a_text_are_pieces_of_it_in_order(text: str) -> None:
    found = list(tokens(text))
    assert found[-1].kind in ("end", "error")
    place = 0
    for token in found[:-1]:
        assert text[token.at : token.at + len(token.text)] == token.text
        assert token.at >= place
        place = token.at + len(token.text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_without_actions_is_itself(text: str) -> None:
    assert rendered(text.replace("{{", ""), None) == text.replace("{{", "")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_quoted_text_reads_back(text: str) -> None:
    assert string(quoted(text)) == text
    assert rendered(f"{{{{{quoted(text)}}}}}", None) == text


@given(VALUES.filter(lambda value: "nan" not in repr(value) and "inf" not in repr(value)))
def test_json_reads_back(value: object) -> None:
    assert json.loads(to_json(value)) == value


@given(st.text(st.sampled_from("%sdvqxXtTbcoUeEfgG+-# 0123.*[]aé"), max_size=20), st.lists(LEAVES))
def test_printf_takes_any_layout_and_any_values(layout: str, values: list[object]) -> None:
    with suppress(ImagesError):
        assert isinstance(printf(layout, values), str)


@pytest.mark.parametrize(
    "text",
    ["x", "{{.a}}", "{{1 | print}}", "{{if .a}}x{{end}}", "{{/* c */}} ", "{{- 1 -}}   ", "\n{{1}}",
     '{{"\\n"}}', "{{$x := 1}}", "{{print (1) (2)}}", "{ ", "{{range 3}}{{.}}{{end}}", "{{`a`}}"],
)  # fmt: skip
def test_time_grows_with_the_text(text: str) -> None:
    def seconds(times: int) -> float:
        whole = text * times
        best = 9.0
        gc.disable()  # it would look through what other tests left, too
        try:
            for _ in range(3):
                start = time.process_time()
                rendered(whole, {"a": "b"})
                best = min(best, time.process_time() - start)
        finally:
            gc.enable()
        return best

    # Eight times the text: 64 times the time is what must not be.
    assert seconds(1600) < 32 * seconds(200) + 0.05


@pytest.mark.parametrize("start", ["", '"', "(", ".", "/*", "`", "'", "$", "1", "a"])
@pytest.mark.parametrize("rest", ["a", " ", ".", "\\", "-", "(", "1", "{ ", "\n -", '"'])
def test_what_never_ends_is_refused_in_time(start: str, rest: str) -> None:
    begun = time.process_time()
    with pytest.raises(ImagesError):
        Template.parse("{{" + start + rest * 60_000)
    assert time.process_time() - begun < 5
