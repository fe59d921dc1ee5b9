"""Layers that nobody honest writes: whatever they hold, the view stays inside and ends."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.errors import ImagesError, PathError
from tests.layer.raw import member
from tests.layer.views import layer, view

if TYPE_CHECKING:
    from pytest_images.layer.files import Files

PARTS = [b"a", b"b", b"c", b".", b"", b".wh.a", b".wh.b", b".wh..wh..opq", b".wh..wh.plnk"]
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map(b"/".join)
INSIDE = NAMES.filter(lambda name: name.strip(b"./"))
LEADING = st.lists(st.sampled_from([*PARTS[:5], b".."]), min_size=1, max_size=5).map(b"/".join)
TARGETS = st.one_of(INSIDE, LEADING, LEADING.map(lambda name: b"/" + name))
KINDS = st.sampled_from([b"0", b"1", b"2", b"5", b"5", b"6", b"3"])


@st.composite
def members(draw: st.DrawFn) -> bytes:
    kind, name = draw(KINDS), draw(INSIDE)
    link = draw({b"1": INSIDE, b"2": TARGETS}.get(kind, st.just(b"")))
    data = draw(st.sampled_from([b"", b"x", b"y" * 600])) if kind == b"0" else b""
    return member(name, data, kind, link=link)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.lists(members(), max_size=8), min_size=1, max_size=3))
def test_a_hostile_image_is_refused_or_every_path_of_it_can_be_looked_at(
    layers: list[list[bytes]],
) -> None:
    files = view(*(layer(*entries) for entries in layers))
    try:
        files.exists()
    except ImagesError:
        return
    for scope in (files, *files.layers):
        for top, folders, names in scope.walk():
            for name in [*folders, *names]:
                look_at(files, scope / f"{top}/{name}")


def look_at(files: Files, path: object) -> None:
    """Ask everything that can be asked of a path: it answers, or says why it cannot."""
    from pytest_images.layer.files import ImagePath

    assert isinstance(path, ImagePath)
    assert path.exists(follow_symlinks=False)
    assert path.lstat().filemode
    assert repr(path)
    files.in_layers(str(path))
    try:
        resolved = path.resolve()
        assert str(resolved) == posixpath.normpath(str(resolved))
        assert not resolved.is_symlink()
        content = path.read_bytes()
        assert len(content) == path.stat().size
    except PathError as error:
        assert error.image in ("app:1", f"layer {error.image[6:7]} of app:1")
