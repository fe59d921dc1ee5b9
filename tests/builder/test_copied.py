"""The layer of a COPY: which members it has, whichever way they are written."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from pytest_images.builder.choosing import select
from pytest_images.builder.copying import Order
from pytest_images.builder.fingerprints import Fingerprints
from pytest_images.builder.folder import FolderTree
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.errors import StoreFull
from pytest_images.layer.tar import members
from pytest_images.layer.writer import LayerWriter
from tests.engine.hostile import tar
from tests.engine.test_hostile_contexts import written

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.builder.copying import Copying


def listed(copying: Copying) -> dict[str, bytes]:
    """Return the members by name, each of which is there once."""
    found = [(each.text, each.read()) for each in members(io.BytesIO(written(copying)), "layer")]
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in ("one/a", "one/sub/b", "two/c", "two/sub/d"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


TWO = Order(("one", "two"), "/x/")


def test_folders_whose_files_lie_apart_are_put_together(context: Path) -> None:
    (context / "two/sub").rename(context / "two/other")
    found = listed(select(TWO, FolderTree(context)))
    assert sorted(found) == ["x/", "x/a", "x/c", "x/other/", "x/other/d", "x/sub/", "x/sub/b"]


@pytest.mark.parametrize("name", ["a", "sub/b"])
def test_of_two_files_with_one_path_the_later_is_copied(context: Path, name: str) -> None:
    (context / "two" / name).write_text("later")
    assert listed(select(TWO, FolderTree(context)))["x/" + name] == b"later"


def test_no_file_replaces_a_folder_that_an_archive_brought(context: Path) -> None:
    (context / "a.tar").write_bytes(tar(**{"c/in": b""}))
    order = TWO._replace(sources=("a.tar", "two"), unpacks=True)
    with pytest.raises(Malformed, match="cannot replace the directory /x/c with a file"):
        written(select(order, FolderTree(context)))


def test_a_time_beyond_all_clocks_is_one(context: Path) -> None:
    """2400: more nanoseconds since 1970 than 63 bits hold, and fewer seconds than a header."""
    os.utime(context / "one/a", (0, 13_600_000_000))
    known = Fingerprints(context, context)
    seen = [group.seen for group in FolderTree(context).siblings("one")]
    digest = select(TWO, FolderTree(context)).digest(known)
    os.utime(context / "one/a", (0, 13_600_000_001))
    second = select(TWO, FolderTree(context))
    assert second.digest(known) == digest, "times do not count"
    assert seen != [group.seen for group in FolderTree(context).siblings("one")]
    assert sorted(listed(second)) == ["x/", "x/a", "x/c", "x/sub/", "x/sub/b", "x/sub/d"]


class Full:
    """A place for a layer that has no room."""

    def write(self, data: bytes | memoryview) -> None:
        raise StoreFull("blob", "no space left")

    def fileno(self) -> int:
        raise AssertionError

    def advance(self, count: int) -> None:
        raise AssertionError


@pytest.mark.parametrize("size", [0, 300_000])
def test_a_full_disk_is_no_file_that_changed(context: Path, size: int) -> None:
    (context / "one/a").write_bytes(bytes(size))
    writer = LayerWriter(Full())
    with pytest.raises(StoreFull):
        select(TWO, FolderTree(context)).write(writer, None, 0)
        writer.finish()
