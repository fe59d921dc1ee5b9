from __future__ import annotations

import io

import pytest

from pytest_images.errors import LimitExceeded
from pytest_images.layer import contents as packed
from pytest_images.layer.contents import Contents
from pytest_images.layer.measure import measure
from pytest_images.layer.member import Kind
from tests.layer.raw import END, member, pax
from tests.layer.views import folder, layer, symlink


def listed(*entries: bytes) -> Contents:
    contents = Contents("layer")
    measure(io.BytesIO(b"".join(entries) + END), "layer", visit=contents.add)
    return contents


def test_members_keep_their_order_and_their_place() -> None:
    contents = listed(folder(b"./usr"), member(b"usr//bin/../x", b"12"), symlink(b"/l", b"usr"))
    assert list(contents) == [(0, b"usr"), (1, b"usr/x"), (2, b"l")]
    assert [contents.kind(index) for index in range(3)] == [
        Kind.DIRECTORY,
        Kind.FILE,
        Kind.SYMLINK,
    ]
    assert (contents.sizes[1], contents.offsets[1], contents.links) == (2, 1024, {2: b"usr"})


def test_a_name_is_found_where_it_stands_last_and_only_whole() -> None:
    contents = listed(member(b"a"), member(b"ab"), member(b"a/b"), member(b"a"))
    assert (contents.find(b"a"), contents.find(b"ab"), contents.find(b"b")) == (3, 1, None)
    assert contents.has_below(b"a")
    assert not contents.has_below(b"ab")


def test_the_root_is_the_empty_name() -> None:
    contents = listed(member(b"a"), folder(b"."), member(b"b"))
    assert list(contents) == [(0, b"a"), (1, b""), (2, b"b")]
    assert (contents.find(b""), contents.find(b"b")) == (1, 2)


def test_names_together_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "NAMES_LIMIT", 100)
    with pytest.raises(LimitExceeded, match="all its names"):
        listed(*(member(b"%d" % number * 10) for number in range(10)))
    with pytest.raises(LimitExceeded, match="all its names"):
        listed(symlink(b"l", b"t" * 99))


@pytest.mark.parametrize(("count", "size"), [(1, packed.XATTR_LIMIT + 1), (300, 60_000)])
def test_extended_attributes_have_a_limit_each_and_together(count: int, size: int) -> None:
    records = pax(**{"SCHILY.xattr.user.x": b"x" * size})
    with pytest.raises(LimitExceeded, match="size in bytes of extended attributes"):
        listed(*(records + member(b"%d" % number) for number in range(count)))


def test_thousands_of_members_take_little_memory() -> None:
    import tracemalloc

    raw = layer(*(member(b"usr/share/package/%d" % number) for number in range(5000)))
    contents = Contents("layer")
    measure(io.BytesIO(raw), "layer", visit=contents.add)  # caches are warm then
    contents = Contents("layer")
    tracemalloc.start()
    measure(io.BytesIO(raw), "layer", visit=contents.add)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(contents) == 5000
    assert kept < 5000 * 120
