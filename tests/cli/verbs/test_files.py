from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples
from tests.layer.raw import base256, member
from tests.layer.views import folder, layer, symlink

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

LOWER = layer(
    folder(b"etc"),
    member(b"etc/motd", b"hello\n", uid=7, mtime=1_700_000_000),
    member(b"etc/secret", b"s"),
    symlink(b"etc/link", b"/etc/motd"),
    symlink(b"conf", b"etc"),
    member(b"far", mtime=base256(1 << 70)),
    member(b"\x1b[2J"),
)
UPPER = layer(member(b"etc/.wh.secret"), member(b"opt/app/run", b"x"))


@pytest.fixture(autouse=True)
def app(store: Store) -> None:
    samples.of_tars(LOWER, UPPER).put(store, "app:1")


def test_the_root_is_listed_a_name_a_line(run: Run) -> None:
    done = run("files", "app:1")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == ["\\x1b[2J", "conf", "etc", "far", "opt"]


@pytest.mark.parametrize("path", ["etc", "/etc/", "conf", "./conf/."])
def test_a_directory_is_listed_also_through_a_link(run: Run, path: str) -> None:
    assert run("files", "app:1", path).out.splitlines() == ["link", "motd"]


def test_a_long_listing_is_that_of_ls(run: Run) -> None:
    link, motd = run("files", "-l", "app:1", "etc").out.splitlines()
    assert motd == "-rw-r--r--     7     0           6 2023-11-14 22:13 motd"
    assert link.endswith("link -> /etc/motd")


def test_a_file_is_listed_under_its_whole_path(run: Run) -> None:
    assert run("files", "app:1", "etc/motd").out == "/etc/motd\n"


def test_everything_below_is_listed_under_whole_paths(run: Run) -> None:
    assert run("files", "-R", "app:1", "opt").out.splitlines() == ["/opt/app", "/opt/app/run"]


def test_a_time_beyond_every_calendar_is_shown_as_a_number(run: Run) -> None:
    assert f" {1 << 70} /far" in run("files", "--long", "app:1", "far").out


def test_json_is_an_object_a_line(run: Run) -> None:
    lines = run("files", "--format", "json", "app:1", "etc").out.splitlines()
    link, motd = map(json.loads, lines)
    assert motd == {
        "path": "/etc/motd",
        "kind": "file",
        "mode": "0644",
        "uid": 7,
        "gid": 0,
        "size": 6,
        "mtime": 1_700_000_000.0,
        "target": "",
        "layer": 0,
    }
    assert (link["kind"], link["target"]) == ("symlink", "/etc/motd")


def test_layers_tell_who_holds_a_file_and_who_takes_it_away(run: Run) -> None:
    sample = samples.of_tars(LOWER, UPPER)
    short = [layer.digest.short for layer in sample.manifest.layers]
    done = run("files", "--layers", "app:1", "etc/secret")
    assert done.out.splitlines() == [f"  0 {short[0]} file", f"  1 {short[1]} whiteout"]
    [line] = run("files", "--layers", "--format=json", "app:1", "conf/motd").out.splitlines()
    assert json.loads(line)["change"] == "file"


@pytest.mark.parametrize("words", [[], ["-l"], ["-R"], ["--layers"], ["--format", "json"]])
def test_what_is_not_there_is_named_with_what_is(run: Run, words: list[str]) -> None:
    done = run("files", *words, "app:1", "etc/motdd")
    assert (done.status, done.out) == (1, "")
    assert done.err == "Error: app:1: /etc/motdd: there is no such file; /etc is there\n"


def test_an_image_that_is_not_here_is_named(run: Run) -> None:
    done = run("files", "missing", "etc")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: No such image: missing")


def test_another_format_is_refused(run: Run) -> None:
    done = run("files", "--format", "yaml", "app:1")
    assert done.status == 125
    assert "it is not json" in done.err


@pytest.mark.parametrize(("platform", "status"), [("linux/amd64", 0), ("linux/s390x", 1)])
@pytest.mark.parametrize("words", [["files"], ["cat"]])
def test_a_platform_is_chosen(run: Run, platform: str, status: int, words: list[str]) -> None:
    paths = ["etc/motd"]
    assert run(*words, "--platform", platform, "app:1", *paths).status == status


def test_cat_writes_files_one_after_the_other(run: Run) -> None:
    done = run("cat", "app:1", "etc/motd", "conf/link")
    assert (done.status, done.out, done.err) == (0, "hello\nhello\n", "")


def test_cat_goes_on_after_what_cannot_be_written(run: Run) -> None:
    done = run("cat", "app:1", "etc", "nope", "etc/motd")
    assert (done.status, done.out) == (1, "hello\n")
    assert done.err.splitlines() == [
        "Error: app:1: /etc: it is a directory",
        "Error: app:1: /nope: there is no such file; / is there",
    ]


def test_cat_needs_a_path(run: Run) -> None:
    done = run("cat", "app:1")
    assert done.status == 1
    assert "requires at least 2 arguments" in done.err
