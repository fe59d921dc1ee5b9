"""The JSON that a runtime reads is what Python's own module reads."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_images.sandbox.json_text import json_text

VALUES: Any = st.recursive(
    st.text(st.characters()) | st.integers() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert json.loads(json_text(value)) == value


def test_a_byte_that_is_no_text_is_written_as_json_writes_it() -> None:
    assert json.loads(json_text("\udcff")) == "\udcff"


def test_it_is_written_in_ascii() -> None:
    assert json_text('"\\\n\u20ac\U0001f600').isascii()
