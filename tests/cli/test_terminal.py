from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from pytest_images.cli.terminal import json_text, watched

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_json_reads_back_as_it_was_and_cannot_move_the_cursor(value: object) -> None:
    text = json_text(value)
    assert json.loads(text) == value
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)
    text.encode()


def test_letters_of_all_languages_stay_readable() -> None:
    assert json_text({"label": "größe 大きさ"}) == '{"label":"größe 大きさ"}'


def test_control_characters_are_escaped() -> None:
    assert json_text("\x1b[2J\x9b2J\u2028") == r'"\u001b[2J\u009b2J\u2028"'


def test_half_a_character_is_escaped() -> None:
    assert json_text("\ud800") == r'"\ud800"'


def test_nothing_and_files_are_not_watched() -> None:
    closed = io.StringIO()
    closed.close()
    assert [watched(each) for each in (None, io.StringIO(), closed)] == [False, False, False]
