"""The listing of a folder: what is in it, in which order, in which groups."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.builder.choosing import _expanded, select
from pytest_images.builder.copying import Order
from pytest_images.builder.folder import FolderTree
from pytest_images.builder.siblings import COUNT, Siblings, grouped
from pytest_images.builder.trees import MemoryTree
from pytest_images.dockerfile.ignore import IgnoreRules
from pytest_images.layer.member import Kind

if TYPE_CHECKING:
    from pytest_images.builder.listing import Listing


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text(name)
    return folder


def shown(groups: list[Siblings]) -> list[tuple[str, tuple[str, ...]]]:
    return [(group.folder, tuple(group.names)) for group in groups]


def test_files_are_listed_by_name_a_folder_before_what_is_in_it(tmp_path: Path) -> None:
    fill(tmp_path, "b/2", "b/1/x", "a", "b.txt", "c/")
    names = [item.path for item in FolderTree(tmp_path).below("")]
    assert names == ["a", "b", "b/1", "b/1/x", "b/2", "b.txt", "c"]
    assert [item.path for item in FolderTree(tmp_path).below("b")] == ["b/1", "b/1/x", "b/2"]


def test_a_group_ends_with_a_folder_or_when_it_is_full(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b/x", "c", *(f"d/{number:04}" for number in range(COUNT + 1)))
    groups = list(FolderTree(tmp_path).siblings(""))
    full = tuple(f"{number:04}" for number in range(COUNT))
    assert shown(groups) == [
        ("", ("a", "b")),
        ("b", ("x",)),
        ("", ("c", "d")),
        ("d", full),
        ("d", (f"{COUNT:04}",)),
    ]
    assert shown(list(grouped(FolderTree(tmp_path).below("")))) == shown(groups)


def test_names_in_memory_are_grouped_as_those_of_a_folder(tmp_path: Path) -> None:
    names = ["a", "b/c/d", "b/e", "f", "g/h"]
    fill(tmp_path, *names)
    memory = MemoryTree({name: name.encode() for name in names})
    in_memory = list(grouped(memory.below("")))
    assert shown(in_memory) == shown(list(FolderTree(tmp_path).siblings("")))
    assert not any(group.stamps for group in in_memory)


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ("b", ["a", "c", "c/x"]),
        ("b\n!b/keep", ["a", "b", "b/keep", "c", "c/x"]),
        ("b\n!b/missing", ["a", "c", "c/x"]),
        ("b\n!b/deep/y", ["a", "b", "b/deep", "b/deep/y", "c", "c/x"]),
        ("**\n!b/deep/y\n!c/x", ["b", "b/deep", "b/deep/y", "c", "c/x"]),
        ("**/x\na", ["b", "b/deep", "b/deep/y", "b/keep", "c"]),
        ("*\n!*/y", []),
    ],
)
def test_a_folder_that_is_left_out_is_there_for_what_is_not(
    tmp_path: Path, ignored: str, left: list[str]
) -> None:
    fill(tmp_path, "a", "b/keep", "b/deep/x", "b/deep/y", "c/x")
    tree = FolderTree(tmp_path, IgnoreRules.parse(ignored))
    assert [item.path for item in tree.below("")] == left


def test_kinds_links_and_what_no_layer_can_hold(tmp_path: Path) -> None:
    fill(tmp_path, "file", "folder/")
    (tmp_path / "link").symlink_to("somewhere/else")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        place = os.open(tmp_path, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{place}/socket")
        os.close(place)
        found = {item.path: item for item in FolderTree(tmp_path).below("")}
    kinds = {path: item.kind for path, item in found.items()}
    assert kinds == {
        "file": Kind.FILE,
        "folder": Kind.DIRECTORY,
        "link": Kind.SYMLINK,
        "pipe": Kind.FIFO,
    }
    assert found["link"].target == "somewhere/else"
    assert {item.size for path, item in found.items() if path != "file"} == {0}


def test_a_file_is_the_same_alone_as_in_its_folder(tmp_path: Path) -> None:
    fill(tmp_path, "sub/file")
    (tmp_path / "sub/file").chmod(0o4751)
    os.utime(tmp_path / "sub/file", ns=(5, 1_500_000_000_999_999_999))
    [item] = FolderTree(tmp_path).below("sub")
    assert item == FolderTree(tmp_path).find("sub/file")
    assert (item.mode, item.mtime) == (0o4751, 1_500_000_000)


def test_names_that_are_no_text_are_listed(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff\n'")).touch()
    [group] = FolderTree(tmp_path).siblings("")
    assert group.names == ["\udcff\n'"]
    assert len(group.seen) == 64


def test_a_path_may_be_as_deep_as_a_path_can_be_long(tmp_path: Path) -> None:
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    try:
        assert sum(1 for _ in FolderTree(tmp_path).below("")) == 1500
    finally:  # Python before 3.13 cannot, and pytest would fail for it in its next run but two
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*", ["a.txt", "b.txt", "link", "sub"]),
        ("*.txt", ["a.txt", "b.txt"]),
        ("sub/*.txt", ["sub/c.txt"]),
        ("*/*", ["sub/c.txt", "sub/deep"]),
        ("s*/d*/*", ["sub/deep/d.txt"]),
        ("link/*.txt", ["link/c.txt"]),  # before the first wildcard a link may lead on
        ("l*/c.txt", []),
        ("x*", []),
    ],
)
def test_a_pattern_lists_the_folders_it_can_match_in(
    tmp_path: Path, pattern: str, found: list[str]
) -> None:
    fill(tmp_path, "a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt")
    (tmp_path / "link").symlink_to("sub")
    memory = MemoryTree({n: b"" for n in ("a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt")})
    assert list(_expanded(pattern.split("/"), FolderTree(tmp_path))) == found
    if "l" not in pattern:
        in_memory = [path for path in found if path != "link"]
        assert list(_expanded(pattern.split("/"), memory)) == in_memory


def test_a_pattern_does_not_look_into_what_it_cannot_match(tmp_path: Path) -> None:
    fill(tmp_path, "a.txt", "sub/b.txt")
    tree = FolderTree(tmp_path)
    listed = []
    look = tree._listed

    def noted(path: str, *others: Any) -> Listing:
        listed.append(path)
        return look(path, *others)

    tree._listed = noted  # type: ignore[method-assign, assignment] # to see where it looks
    assert list(_expanded(["*.txt"], tree)) == ["a.txt"]
    assert listed == [""]


def test_a_pattern_finds_a_folder_that_is_left_out_but_for_a_file(tmp_path: Path) -> None:
    fill(tmp_path, "one/keep", "two/drop")
    tree = FolderTree(tmp_path, IgnoreRules.parse("*\n!*/keep"))
    chosen = select(Order(("*",), "/x/"), tree).chosen
    assert [each.item.path for each in chosen] == ["one", "one/keep"]
