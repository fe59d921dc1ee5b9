from __future__ import annotations

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.errors import LimitExceeded
from pytest_images.layer import tree as trees
from pytest_images.layer.contents import Contents
from pytest_images.layer.measure import measure
from pytest_images.layer.tree import Directory, Tree
from tests.layer.raw import member
from tests.layer.views import folder, hardlink, layer, listed, symlink, view


def whiteout(name: bytes) -> bytes:
    above, slash, base = name.rpartition(b"/")
    return member(above + slash + b".wh." + base)


def opaque(name: bytes) -> bytes:
    return member(name + b"/.wh..wh..opq")


def test_the_upper_layer_wins() -> None:
    files = view(layer(member(b"a", b"old"), member(b"b", b"kept")), layer(member(b"a", b"new")))
    assert listed(files) == {"/a": "file new", "/b": "file kept"}


def test_of_a_name_that_comes_twice_in_a_layer_the_last_counts() -> None:
    assert listed(view(layer(member(b"a", b"1"), member(b"./a", b"2")))) == {"/a": "file 2"}


def test_directories_that_no_layer_lists_are_there() -> None:
    files = view(layer(member(b"usr/bin/x", b"x")))
    assert (files / "usr/bin").is_dir()
    assert (files / "usr").stat().mode == 0o755
    assert (files / "usr").stat().layer is None


def test_a_directory_keeps_what_is_in_it_and_takes_the_upper_ones_facts() -> None:
    lower = layer(folder(b"d"), member(b"d/x", b"x"))
    upper = layer(member(b"d/", kind=b"5", uid=7), member(b"d/y", b"y"))
    files = view(lower, upper)
    assert listed(files) == {"/d": "directory", "/d/x": "file x", "/d/y": "file y"}
    assert (files / "d").stat().uid == 7


@pytest.mark.parametrize(
    ("upper", "expected"),
    [
        (member(b"d", b"now a file"), {"/d": "file now a file"}),
        (symlink(b"d", b"/tmp"), {"/d": "symlink /tmp"}),
    ],
)
def test_a_directory_gives_way_to_something_else(upper: bytes, expected: dict[str, str]) -> None:
    assert listed(view(layer(member(b"d/x", b"x")), layer(upper))) == expected


def test_a_directory_that_was_a_file_for_a_while_is_empty_again() -> None:
    files = view(layer(member(b"d/x", b"x")), layer(member(b"d")), layer(folder(b"d")))
    assert listed(files) == {"/d": "directory"}


def test_a_file_gives_way_to_what_lies_below_it() -> None:
    files = view(layer(member(b"a", b"file"), member(b"a/b", b"below")))
    assert listed(files) == {"/a": "directory", "/a/b": "file below"}


def test_a_whiteout_takes_a_file_or_a_whole_directory_away() -> None:
    lower = layer(member(b"a"), member(b"d/x/y"), member(b"d/z"))
    assert listed(view(lower, layer(whiteout(b"a"), whiteout(b"d/x")))) == {
        "/d": "directory",
        "/d/z": "file",
    }


@pytest.mark.parametrize("order", [1, -1], ids=["whiteout-first", "whiteout-last"])
def test_a_whiteout_takes_only_from_below(order: int) -> None:
    upper = [whiteout(b"a"), member(b"a", b"new")][::order]
    assert listed(view(layer(member(b"a", b"old")), layer(*upper))) == {"/a": "file new"}


@pytest.mark.parametrize("order", [1, -1], ids=["opaque-first", "opaque-last"])
def test_an_opaque_directory_hides_only_what_is_below(order: int) -> None:
    lower = layer(folder(b"d"), member(b"d/old"), member(b"d/deep/old"))
    upper = [opaque(b"d"), member(b"d/deep/new", b"n")][::order]
    files = view(lower, layer(folder(b"d"), *upper))
    assert listed(files) == {
        "/d": "directory",
        "/d/deep": "directory",
        "/d/deep/new": "file n",
    }


def test_an_opaque_root_hides_everything_below() -> None:
    upper = layer(member(b".wh..wh..opq"), member(b"b"))
    assert listed(view(layer(member(b"a")), upper)) == {"/b": "file"}


@pytest.mark.parametrize(
    "upper",
    [whiteout(b"missing"), whiteout(b"file/x"), opaque(b"missing"), opaque(b"file"), b""],
)
def test_a_whiteout_of_nothing_does_nothing(upper: bytes) -> None:
    assert listed(view(layer(member(b"file")), layer(upper))) == {"/file": "file"}


def test_a_file_comes_back_after_a_whiteout() -> None:
    files = view(layer(member(b"a", b"1")), layer(whiteout(b"a")), layer(member(b"a", b"3")))
    assert listed(files) == {"/a": "file 3"}


def test_what_aufs_kept_for_itself_is_not_shown_but_linked_to() -> None:
    plnk = member(b".wh..wh.plnk/12.34", b"content")
    files = view(layer(folder(b".wh..wh.plnk"), plnk, hardlink(b"a", b".wh..wh.plnk/12.34")))
    assert listed(files) == {"/a": "file content"}


@pytest.mark.parametrize("target", [b"/run", b"../run", b"../../../run", b"/nowhere/../run"])
def test_a_file_behind_a_link_lands_where_the_link_leads(target: bytes) -> None:
    made = [folder(b"run"), folder(b"nowhere"), symlink(b"var/run", target)]
    files = view(layer(*made, member(b"var/run/x", b"x")))
    assert (files / "run/x").read_text() == "x"
    assert (files / "var/run").is_symlink()


def test_a_link_out_of_the_root_makes_its_target_inside() -> None:
    files = view(layer(symlink(b"out", b"../../etc"), member(b"out/passwd", b"ours")))
    assert listed(files) == {
        "/etc": "directory",
        "/etc/passwd": "file ours",
        "/out": "symlink ../../etc",
    }


def test_a_link_that_leads_to_itself_gives_way_to_a_directory() -> None:
    files = view(layer(symlink(b"loop", b"loop"), member(b"loop/x", b"x")))
    assert listed(files) == {"/loop": "directory", "/loop/x": "file x"}


def test_a_chain_of_links_is_followed_no_further_than_its_budget() -> None:
    chain = [symlink(b"l%d" % n, b"l%d" % (n + 1)) for n in range(100)]
    files = view(layer(*chain, member(b"l0/x", b"x")))
    [found] = [path for path, what in listed(files).items() if what == "file x"]
    assert found == f"/l{trees.LINK_BUDGET}/x"


def test_a_whiteout_through_a_link_stays_inside() -> None:
    lower = layer(member(b"real/x"), member(b"real/y"), symlink(b"link", b"/../real"))
    files = view(lower, layer(whiteout(b"link/x")))
    assert "/real/x" not in listed(files)
    assert "/real/y" in listed(files)


def test_a_hard_link_shares_content_and_facts_across_layers() -> None:
    files = view(layer(member(b"a", b"shared", uid=5)), layer(hardlink(b"d/b", b"./a")))
    assert (files / "d/b").read_text() == "shared"
    assert (files / "d/b").stat() == (files / "a").stat()


def test_a_hard_link_keeps_its_content_when_the_name_it_was_made_from_goes() -> None:
    linked = layer(member(b"a", b"kept"), hardlink(b"b", b"a"))
    assert listed(view(linked, layer(whiteout(b"a")))) == {"/b": "file kept"}
    assert listed(view(linked, layer(member(b"a", b"new")))) == {
        "/a": "file new",
        "/b": "file kept",
    }


def test_a_hard_link_to_a_link_is_that_link() -> None:
    files = view(layer(symlink(b"a", b"target"), hardlink(b"b", b"a")))
    assert (files / "b").readlink() == "target"


def test_an_absolute_hard_link_starts_at_the_root() -> None:
    files = view(layer(member(b"etc/x", b"x"), hardlink(b"y", b"/etc/x")))
    assert (files / "y").read_text() == "x"


@pytest.mark.parametrize("target", [b"missing", b"later", b"d", b"self"])
def test_a_hard_link_to_nothing_stays_one_and_hides_nothing_else(target: bytes) -> None:
    files = view(layer(folder(b"d"), hardlink(b"self", target), member(b"later")))
    assert (files / "self").lstat().kind == "hardlink"
    assert (files / "later").is_file()


def test_the_root_has_facts_of_its_own() -> None:
    assert view(layer(member(b"./", kind=b"5", uid=9))).stat().uid == 9


def made(*tars: bytes) -> Tree:
    layers = []
    for tar in tars:
        contents = Contents("layer")
        measure(io.BytesIO(tar), "layer", visit=contents.add)
        layers.append(contents)
    return Tree(layers, "app:1")


def test_one_name_again_and_again_costs_no_more_than_many_names() -> None:
    again = [member(b"a/b/c"), folder(b"a/b/c")] * 10_000
    start = time.perf_counter()
    tree = made(layer(*again))
    assert time.perf_counter() - start < 10
    assert tree.find([b"a", b"b", b"c"])[0] == (b"a", b"b", b"c")


def test_a_deep_path_is_walked_without_recursion() -> None:
    deep = b"/".join([b"d"] * 2000)
    tree = made(layer(member(b"long", kind=b"L", data=deep + b"/f\0"), member(b"short")))
    depths = [len(parts) for parts, _ in tree.below((), tree.root)]
    assert depths == list(range(2001))


def test_more_entries_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "ENTRY_LIMIT", 3)
    with pytest.raises(LimitExceeded, match="number of files and directories"):
        made(layer(member(b"a/b/c/d")))


def test_links_cannot_make_a_layer_take_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "STEP_LIMIT", 1000)
    long = symlink(b"l", b"a/" * 45)
    with pytest.raises(LimitExceeded, match="steps through links"):
        made(layer(long, *(member(b"l/%d/x" % number) for number in range(100))))


PARTS = [
    *(folder(b"d"), member(b"d/x", b"x"), member(b"d/y"), member(b"d", b"a file")),
    *(folder(b"d/in"), member(b"d/in/z"), symlink(b"d", b"e"), symlink(b"l", b"/d/in")),
    *(member(b"l/x"), folder(b"e"), member(b"e/x"), hardlink(b"h", b"d/x"), member(b"h")),
    *(whiteout(b"d"), whiteout(b"d/x"), whiteout(b"l"), opaque(b"d"), opaque(b"d/in")),
    *(member(b".wh..wh.aufs/x"), member(b"./")),
]


def contents_of(entries: list[bytes]) -> Contents:
    contents = Contents("layer")
    measure(io.BytesIO(layer(*entries)), "layer", visit=contents.add)
    return contents


def shape(directory: Directory) -> dict[bytes, object]:
    return {
        name: (child.place, shape(child)) if isinstance(child, Directory) else child
        for name, child in directory.children.items()
    }


@given(
    st.lists(st.lists(st.sampled_from(PARTS), max_size=8), min_size=1, max_size=4),
    st.integers(1, 3),
)
def test_a_tree_upon_another_is_the_tree_of_all_layers(layers: list[list[bytes]], cut: int) -> None:
    all_ = [contents_of(each) for each in layers]
    below = Tree(all_[:cut], "image")
    before = shape(below.root)
    assert shape(Tree(all_, "image", below).root) == shape(Tree(all_, "image").root)
    assert shape(below.root) == before, "the tree below stays as it was"


def test_what_counts_counts_with_what_is_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "ENTRY_LIMIT", 3)
    lower, upper = contents_of([member(b"a"), member(b"b")]), contents_of([member(b"c/d")])
    with pytest.raises(LimitExceeded):
        Tree([lower, upper], "image", Tree([lower], "image"))
