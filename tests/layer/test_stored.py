from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.layer.contents import Contents
from pytest_images.layer.measure import measure
from pytest_images.layer.stored import restored, stored
from tests.layer.raw import END, member, pax
from tests.layer.views import folder, hardlink, symlink

MEMBERS = [
    *(folder(b"usr"), member(b"usr/x", b"12", uid=7), member(b"\xff\xfe")),
    *(symlink(b"l", b"usr/\xe4"), hardlink(b"h", b"usr/x"), member(b"tty", kind=b"3")),
    *(member(b"usr/.wh.gone"), member(b"usr/.wh..wh..opq"), member(b".wh..wh.plnk/1")),
    pax(**{"SCHILY.xattr.user.k": b"\x00\xff"}) + member(b"e", b"e"),
    pax(mtime=b"1.5") + member(b"f"),
]


def listed(*entries: bytes) -> Contents:
    contents = Contents("layer")
    measure(io.BytesIO(b"".join(entries) + END), "layer", visit=contents.add)
    return contents


def facts(contents: Contents) -> dict[str, object]:
    names = vars(contents).keys() - {"_links_size", "_xattrs_size"}
    return {name: getattr(contents, name) for name in names}


@given(st.lists(st.sampled_from(MEMBERS)))
def test_what_is_kept_is_what_was_listed(entries: list[bytes]) -> None:
    contents = listed(*entries)
    found = restored(stored(contents), "layer")
    assert found is not None
    assert facts(found) == facts(contents)
    assert list(found) == list(contents)


@pytest.mark.parametrize("at", [0, 20, 60, -1])
def test_one_wrong_byte_and_it_is_none(at: int) -> None:
    raw = bytearray(stored(listed(*MEMBERS)))
    raw[at] ^= 1
    assert restored(bytes(raw), "layer") is None


@pytest.mark.parametrize("length", [0, 1, 30, 60, 200])
def test_what_was_cut_short_is_none(length: int) -> None:
    assert restored(stored(listed(*MEMBERS))[:length], "layer") is None
