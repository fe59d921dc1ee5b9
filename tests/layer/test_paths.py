from __future__ import annotations

import posixpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.layer.header import Malformed
from pytest_images.layer.paths import inside

parts = st.lists(st.sampled_from([b"a", b"b", b".", b"..", b""]), max_size=8)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(parts)
def test_a_name_is_inside_or_refused(path: list[bytes]) -> None:
    name = b"/".join(path)
    escapes = posixpath.normpath(b"root/" + name).split(b"/")[0] != b"root"
    if escapes:
        with pytest.raises(Malformed):
            inside(name)
        return
    try:
        found = inside(name)
    except Malformed:
        return  # it leaves and comes back: b"../root/a" would
    assert b"/".join((b"root", *found)) == posixpath.normpath(b"root/" + name)
    assert not {b"", b".", b".."} & set(found)


def test_leaving_and_coming_back_is_leaving() -> None:
    with pytest.raises(Malformed):
        inside(b"../root/a")
