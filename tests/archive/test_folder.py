from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import DigestMismatch, InvalidArchive, LimitExceeded
from pytest_images.testing import samples
from tests.archive.packed import path_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.archive.conftest import Loading

ONE = samples.image("one", size=100_000)
LAYER = path_of(ONE.layers[0])


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    return ONE.layout(tmp_path / "layout", "app:1")


def test_a_layout_is_read_where_it_is(load: Loading, layout: Path) -> None:
    (found,) = load(layout)
    assert found.manifest == ONE.manifest
    assert load.store.read(ONE.manifest.layers[0].digest) == ONE.layers[0]
    assert [name.familiar for name in found.references] == ["app:1"]


def test_the_layout_itself_may_be_reached_through_a_link(load: Loading, layout: Path) -> None:
    link = layout.with_name("link")
    link.symlink_to(layout)
    assert load(link)


def to_link(path: Path) -> None:
    copy = path.with_name("copy")
    path.rename(copy)
    path.symlink_to(copy)


def to_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "place", [LAYER, path_of(ONE.manifest.raw), path_of(ONE.config.raw), "index.json"]
)
@pytest.mark.parametrize("change", [to_link, to_fifo, to_folder])
def test_only_regular_files_are_read(
    load: Loading, layout: Path, place: str, change: Callable[[Path], None]
) -> None:
    """T22."""
    change(layout / place)
    with load.refused(InvalidArchive, place.rpartition("/")[2][:40]):
        load(layout)


def test_a_linked_folder_of_blobs_is_refused(load: Loading, layout: Path) -> None:
    """T22."""
    to_link(layout / "blobs")
    with load.refused(InvalidArchive, "blobs"):
        load(layout)


def test_a_damaged_blob_is_refused(load: Loading, layout: Path) -> None:
    (layout / LAYER).write_bytes(ONE.layers[0] + b"x")
    with load.refused(DigestMismatch, LAYER):
        load(layout)


def test_a_document_is_read_up_to_its_limit(load: Loading, layout: Path) -> None:
    with (layout / "index.json").open("r+b") as file:
        file.truncate(1 << 33)
    with load.refused(LimitExceeded, "index.json", str(4 << 20)):
        load(layout)


def test_a_folder_without_an_index_is_no_layout(load: Loading, tmp_path: Path) -> None:
    with load.refused(InvalidArchive, "index.json"):
        load(tmp_path)
