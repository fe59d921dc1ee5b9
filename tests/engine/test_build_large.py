"""COPY of much: what was never copied is written while it is hashed, and found again."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.builder import copying, listings
from pytest_images.builder.build import Workbench
from pytest_images.builder.choosing import select
from pytest_images.builder.copying import Order
from pytest_images.builder.fingerprints import Fingerprints
from pytest_images.builder.folder import FolderTree
from pytest_images.builder.view import _Blob
from pytest_images.content.home import WORK
from pytest_images.errors import InvalidDockerfile
from pytest_images.layer.changed import Changed
from tests.engine.test_hostile_contexts import written

if TYPE_CHECKING:
    from typing import BinaryIO

    from pytest_images.builder.siblings import Item, Stamp
    from pytest_images.images import Images

SIZE = 200_000
MUCH = 10 * SIZE
ORDER = Order((".",), "/x/")


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large here is quickly made."""
    monkeypatch.setattr(copying, "LARGE", SIZE)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /x/\n")
    (folder / "small").write_text("small")
    (folder / "zlarge").write_bytes(b"L" * SIZE)
    return folder


def forget_files(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "home" / WORK / "fingerprints")


def test_what_was_written_at_once_is_found_by_its_content(
    images: Images, context: Path, tmp_path: Path
) -> None:
    first = images.build(context)
    assert "CACHED" not in first.log
    forget_files(tmp_path)
    (context / "zlarge").touch()
    second = images.build(context)
    assert "CACHED" in second.log
    assert second.image == first.image


def test_it_has_the_key_and_the_layer_that_hashing_first_gives(
    images: Images, context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(copying, "LARGE", MUCH)
        first = images.build(context)
    shutil.rmtree(tmp_path / "home" / WORK / "results")
    forget_files(tmp_path)
    second = images.build(context)
    assert "CACHED" not in second.log
    assert second.image == first.image
    forget_files(tmp_path)
    monkeypatch.setattr(copying, "LARGE", MUCH)
    assert "CACHED" in images.build(context).log


def test_another_content_of_the_same_size_is_another_image(images: Images, context: Path) -> None:
    first = images.build(context)
    (context / "zlarge").write_bytes(b"M" * SIZE)
    second = images.build(context)
    assert "CACHED" not in second.log
    assert second.image is not None
    assert (images.files(second.image) / "x/zlarge").read_bytes() == b"M" * SIZE
    (context / "zlarge").write_bytes(b"L" * SIZE)
    third = images.build(context)
    assert "CACHED" in third.log
    assert third.image == first.image


@pytest.mark.parametrize("change", ["small", "mode", "name", "destination"])
def test_what_else_changes_is_seen(images: Images, context: Path, change: str) -> None:
    first = images.build(context)
    match change:
        case "small":
            (context / "small").write_text("SMALL")
        case "mode":
            (context / "zlarge").chmod(0o700)
        case "name":
            (context / "zlarge").rename(context / "large")
        case "destination":
            (context / "Dockerfile").write_text("FROM scratch\nCOPY . /y/\n")
    second = images.build(context)
    assert "CACHED" not in second.log
    assert second.image != first.image


def test_without_the_cache_it_is_the_same_image(images: Images, context: Path) -> None:
    first = images.build(context)
    again = images.build(context, no_cache=True)
    assert "CACHED" not in again.log
    assert again.image == first.image


def test_a_file_of_a_stage_is_found_again(images: Images, context: Path) -> None:
    text = "FROM scratch AS one\nCOPY . /x/\nFROM scratch\nCOPY --from=one /x/zlarge /\n"
    first = images.build(context, dockerfile_text=text)
    second = images.build(context, dockerfile_text=text)
    assert second.log.count("CACHED") == 2
    assert second.image == first.image


@pytest.mark.parametrize("large", [SIZE, 2 * SIZE, 10 * SIZE])  # the kernel copies from 256 KB on
def test_what_was_written_is_not_read_to_know_what_it_lists(
    images: Images, context: Path, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    monkeypatch.setattr(listings, "FROM", 1 << 30)
    (context / "zlarge").write_bytes(b"L" * large)
    text = (
        "FROM scratch AS one\nCOPY . /x/\nWORKDIR /x/new\nCOPY small /x/zlarger\n"
        "FROM scratch\nCOPY --from=one /x/z* /y/\n"
    )
    with monkeypatch.context() as patch:
        patch.setattr(Workbench, "learn", lambda *_: None)
        first = images.build(context, dockerfile_text=text, no_cache=True)
    monkeypatch.setattr(_Blob, "_measured", None)
    monkeypatch.setattr(_Blob, "_verify", None)
    second = images.build(context, dockerfile_text=text, no_cache=True)
    assert second.image == first.image


def item_of(context: Path) -> Item:
    item = FolderTree(context).find("zlarge")
    assert item is not None
    return item


class Once(FolderTree):
    """A folder that notes which files are opened; the large one changes while it is read."""

    def __init__(self, root: Path, *, changes: bool = False) -> None:
        super().__init__(root)
        self.opened: list[str] = []
        self._changes = changes

    def content(self, path: str, stamp: Stamp) -> bytes:
        self.opened.append(path)
        return super().content(path, stamp)

    def open(self, item: Item) -> BinaryIO:
        self.opened.append(item.path)
        stream = super().open(item)
        if self._changes:
            os.truncate(self.root / item.path, 3)
        return stream


def test_it_is_read_once_and_its_key_is_of_what_was_written(context: Path, tmp_path: Path) -> None:
    known, tree = Fingerprints(tmp_path, context), Once(context)
    chosen = select(ORDER, tree)
    assert chosen.is_large(known)
    layer = written(chosen, known)
    assert b"L" * SIZE in layer
    digest = chosen.digest(known)
    assert tree.opened == ["Dockerfile", "small", "zlarge"]
    assert digest == select(ORDER, FolderTree(context)).digest(Fingerprints(tmp_path, context))
    assert not chosen.is_large(known)


@pytest.mark.parametrize("excludes", [(), ("nothing",)])
def test_many_small_files_are_as_a_large_one(
    context: Path, tmp_path: Path, excludes: tuple[str, ...]
) -> None:
    (context / "zlarge").unlink()
    known, tree = Fingerprints(tmp_path, context), Once(context)
    order = ORDER._replace(excludes=excludes)
    assert not select(order, tree).is_large(known)
    for number in range(300):
        (context / f"{number:03}").write_bytes(b"")
    (context / "link").symlink_to("small")
    chosen = select(order, tree)
    assert chosen.is_large(known)
    layer = written(chosen, known)
    digest = chosen.digest(known)
    assert len(tree.opened) == 302
    other = Fingerprints(tmp_path, context)
    assert select(order, tree).digest(other) == digest, "by hashing first"
    assert written(select(order, tree)) == layer


def test_what_just_changed_is_read_for_each_key(context: Path, tmp_path: Path) -> None:
    """A file written once more within the clock's tick looks the same: two steps may differ."""
    known, tree = Fingerprints(tmp_path, context), Once(context)
    first = select(ORDER, tree)
    written(first, known)
    digest = first.digest(known)
    tree.opened.clear()
    assert select(ORDER, tree).digest(known) == digest
    assert tree.opened == ["Dockerfile", "small"]


def test_a_file_that_changes_while_it_is_written_is_an_error(context: Path, tmp_path: Path) -> None:
    known = Fingerprints(tmp_path, context)
    with pytest.raises(Changed, match="zlarge"):
        written(select(ORDER, Once(context, changes=True)), known)
    assert known.of(FolderTree(context), item_of(context)) == hashlib.sha256(b"LLL").hexdigest()


def test_what_failed_is_not_in_the_cache(
    images: Images, context: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(tree: FolderTree, item: Item) -> object:
        raise Changed(item.path)

    with monkeypatch.context() as patch:
        patch.setattr(FolderTree, "open", gone)
        with pytest.raises(InvalidDockerfile, match="zlarge"):
            images.build(context, dockerfile_text="FROM scratch\nCOPY . /x/\n")
    built = images.build(context, dockerfile_text="FROM scratch\nCOPY . /x/\n")
    assert "CACHED" not in built.log


def test_an_archive_to_unpack_is_hashed_first(context: Path, tmp_path: Path) -> None:
    known = Fingerprints(tmp_path, context)
    chosen = select(ORDER._replace(unpacks=True), FolderTree(context))
    assert not chosen.is_large(known)
