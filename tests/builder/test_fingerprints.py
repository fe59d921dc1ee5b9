"""What is remembered of a context's files, and what makes it worth nothing."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.builder import fingerprints
from pytest_images.builder.choosing import select
from pytest_images.builder.copying import Order
from pytest_images.builder.fingerprints import Fingerprints
from pytest_images.builder.folder import SMALL, FolderTree
from pytest_images.builder.siblings import COUNT
from pytest_images.dockerfile.ignore import IgnoreRules

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from pytest_images.builder.siblings import Item, Stamp


ALL = Order((".",), "/x/")


class Watched(FolderTree):
    """A folder that notes which of its files were read."""

    def __init__(self, root: Path, rules: IgnoreRules | None = None) -> None:
        super().__init__(root, rules)
        self.seen: list[str] = []

    def content(self, path: str, stamp: Stamp) -> bytes:
        self.seen.append(path)
        return super().content(path, stamp)

    def open(self, item: Item) -> BinaryIO:
        self.seen.append(item.path)
        return super().open(item)


class Looked:
    """What one build sees of the context: the digest of its COPY, and what it had to read."""

    def __init__(self, memory: Path, context: Path, order: Order, rules: IgnoreRules) -> None:
        known, tree = Fingerprints(memory, context), Watched(context, rules)
        self.digest = select(order, tree).digest(known)
        known.save()
        self.read = tree.seen


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "sub/deep").mkdir(parents=True)
    for name in ("a", "b", "sub/c", "sub/deep/d", "z"):
        (folder / name).write_text(f"content of {name}")
    (folder / "link").symlink_to("a")
    (folder / "large").write_bytes(b"L" * (SMALL + 1))
    return folder


@pytest.fixture
def look(tmp_path: Path, context: Path) -> Callable[..., Looked]:
    memory = tmp_path / "memory"
    memory.mkdir()

    def looked(order: Order = ALL, *, ignored: str = "", fresh: bool = False) -> Looked:
        folder = tmp_path / "fresh" if fresh else memory
        folder.mkdir(exist_ok=True)
        return Looked(folder, context, order, IgnoreRules.parse(ignored))

    return looked


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as one that nobody has touched for a while."""
    monkeypatch.setattr(fingerprints, "_SETTLED", -1000.0)


def edit(context: Path) -> None:
    (context / "sub/c").write_text("another content, longer")


def edit_unseen(context: Path) -> None:
    """Leave size and time as they were: only the time of the inode's change tells."""
    path = context / "sub/c"
    info = path.stat()
    path.write_text("CONTENT OF SUB/C")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def edit_large_unseen(context: Path) -> None:
    path = context / "large"
    info = path.stat()
    path.write_bytes(b"M" * (SMALL + 1))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def replace(context: Path) -> None:
    path = context / "sub/c"
    info = path.stat()
    new = context.parent / "new"
    new.write_text("CONTENT OF SUB/C")
    os.utime(new, ns=(info.st_atime_ns, info.st_mtime_ns))
    new.rename(path)


def change_mode(context: Path) -> None:
    (context / "sub/c").chmod(0o600)


def change_mode_of_folder(context: Path) -> None:
    (context / "sub/deep").chmod(0o700)


def delete(context: Path) -> None:
    (context / "sub/c").unlink()


def add(context: Path) -> None:
    (context / "sub/new").write_text("new")


def add_folder(context: Path) -> None:
    (context / "sub/deep/new").mkdir()


def swap(context: Path) -> None:
    (context / "a").rename(context / "x")
    (context / "b").rename(context / "a")
    (context / "x").rename(context / "b")


def retarget(context: Path) -> None:
    (context / "link").unlink()
    (context / "link").symlink_to("b")


def make_folder_of_file(context: Path) -> None:
    (context / "z").unlink()
    (context / "z").mkdir()


def make_file_of_link(context: Path) -> None:
    (context / "link").unlink()
    (context / "link").write_text("a")


def make_pipe_of_file(context: Path) -> None:
    (context / "z").unlink()
    os.mkfifo(context / "z")


CHANGES = [
    *(edit, edit_unseen, edit_large_unseen, replace, change_mode, change_mode_of_folder, delete),
    *(add, add_folder, swap, retarget, make_folder_of_file, make_file_of_link, make_pipe_of_file),
]


@pytest.mark.usefixtures("settled")
def test_what_did_not_change_is_not_read_again(look: Callable[..., Looked]) -> None:
    first, second = look(), look()
    assert sorted(first.read) == ["a", "b", "large", "sub/c", "sub/deep/d", "z"]
    assert second.read == []
    assert second.digest == first.digest


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "order", [ALL, ALL._replace(excludes=("nothing",)), ALL._replace(keeps_parents=True)]
)
def test_every_change_is_seen(
    look: Callable[..., Looked],
    context: Path,
    change: Callable[[Path], None],
    order: Order,
) -> None:
    before = look(order)
    change(context)
    after = look(order)
    assert after.digest != before.digest
    assert after.digest == look(order, fresh=True).digest, "as if nothing were remembered"
    assert look(order).read == []


@pytest.mark.usefixtures("settled")
def test_a_change_taken_back_gives_the_digest_that_it_had(
    look: Callable[..., Looked], context: Path
) -> None:
    before = look()
    edit(context)
    look()
    (context / "sub/c").write_text("content of sub/c")
    assert look().digest == before.digest


@pytest.mark.usefixtures("settled")
def test_times_and_places_do_not_count(look: Callable[..., Looked], context: Path) -> None:
    before = look()
    for path in (context, *context.rglob("*")):
        if not path.is_symlink():
            os.utime(path, (1, 1))
    touched = look()
    assert touched.digest == before.digest
    assert sorted(touched.read) == ["a", "b", "large", "sub/c", "sub/deep/d", "z"]
    copy = context.with_name("copy")
    shutil.copytree(context, copy, symlinks=True)
    shutil.rmtree(context)
    copy.rename(context)
    assert look().digest == before.digest


@pytest.mark.usefixtures("settled")
def test_what_is_left_out_is_not_looked_at(look: Callable[..., Looked], context: Path) -> None:
    before = look(ignored="sub\nlarge\n!sub/deep")
    assert sorted(before.read) == ["a", "b", "sub/deep/d", "z"]
    edit(context)
    edit_large_unseen(context)
    add(context)
    after = look(ignored="sub\nlarge\n!sub/deep")
    assert after.read == []
    assert after.digest == before.digest
    assert look(ignored="large").digest != before.digest


def test_a_file_that_changed_just_now_is_read_again(look: Callable[..., Looked]) -> None:
    """It could change once more, in the same tick of the file system's clock."""
    first = look()
    assert sorted(look().read) == sorted(first.read)


def test_what_was_read_after_the_build_began_is_not_settled_by_its_length(
    look: Callable[..., Looked], context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is as young as it was when the build began, however late its key is made."""
    known = Fingerprints(tmp_path, context)
    monkeypatch.setattr(time, "time", lambda: 1e12)
    select(ALL, FolderTree(context)).digest(known)
    known.save()
    assert not (tmp_path / known._path.name).exists()


@pytest.mark.usefixtures("settled")
def test_a_large_file_is_remembered_though_one_beside_it_changed(
    look: Callable[..., Looked], context: Path
) -> None:
    look()
    (context / "a").write_text("another")
    assert sorted(look().read) == ["a", "b"], "those between two folders"


@pytest.mark.usefixtures("settled")
def test_of_many_files_in_a_folder_few_are_read_when_one_changed(
    look: Callable[..., Looked], context: Path
) -> None:
    for number in range(5 * COUNT):
        (context / f"sub/deep/{number:04}").touch()
    look()
    (context / f"sub/deep/{2 * COUNT:04}").write_text("changed")
    assert len(look().read) == COUNT


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("torn", [b"", b"[]", b'{"a', b"\xff", b'{"a": 1}'])
def test_a_torn_record_is_none(look: Callable[..., Looked], tmp_path: Path, torn: bytes) -> None:
    first = look()
    [record] = (tmp_path / "memory").iterdir()
    record.write_bytes(torn)
    again = look()
    assert again.digest == first.digest
    assert len(again.read) == 6


@pytest.mark.usefixtures("settled")
def test_what_was_not_used_lately_is_forgotten_first(
    look: Callable[..., Looked], context: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "_LIMIT", 8)
    for number in range(10):
        (context / "a").write_text(f"{number}")
        look()
    assert look().read == []


@pytest.mark.usefixtures("settled")
def test_another_tree_at_the_place_of_the_context_is_another_context(
    look: Callable[..., Looked], context: Path, tmp_path: Path
) -> None:
    """A named context has files of the same names; what is known is of the one folder."""
    first = look()
    other = tmp_path / "other"
    shutil.copytree(context, other, symlinks=True)
    (other / "a").write_text("of the other")
    known = Fingerprints(tmp_path / "memory", context)
    digest = select(ALL, FolderTree(other)).digest(known)
    assert digest != first.digest


@pytest.mark.usefixtures("settled")
def test_what_cannot_be_written_is_not_remembered_and_leaves_nothing(
    look: Callable[..., Looked], tmp_path: Path
) -> None:
    first = look()
    [record] = (tmp_path / "memory").iterdir()
    record.unlink()
    (record / "in the way").mkdir(parents=True)
    assert look().read == first.read
    assert list((tmp_path / "memory").iterdir()) == [record]


@pytest.mark.usefixtures("settled")
def test_two_steps_of_a_build_read_a_file_once(context: Path, tmp_path: Path) -> None:
    known, tree = Fingerprints(tmp_path, context), Watched(context)
    first = select(ALL, tree).digest(known)
    assert len(tree.seen) == 6
    assert select(ALL, tree).digest(known) == first
    assert len(tree.seen) == 6
