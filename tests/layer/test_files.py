from __future__ import annotations

import importlib.resources.abc
import pickle
import re

import pytest

from pytest_images.errors import (
    ImagesError,
    InvalidLayer,
    IsADirectory,
    NotADirectory,
    PathError,
    PathNotFound,
)
from pytest_images.layer.files import Files, InLayer
from pytest_images.layer.scope import FileStat
from tests.layer.raw import END, member, pax
from tests.layer.views import Opened, folder, hardlink, layer, of_tar, symlink, view

ETC = layer(
    folder(b"etc"),
    member(b"etc/os-release", b"ID=alpine\n", uid=1, mtime=1_700_000_000),
    symlink(b"etc/link", b"os-release"),
    symlink(b"etc/absolute", b"/etc/os-release"),
    symlink(b"etc/out", b"../../../etc/os-release"),
    symlink(b"etc/dangling", b"nowhere"),
    symlink(b"etc/round", b"round"),
    symlink(b"bin", b"/usr/bin"),
    member(b"usr/bin/tool.tar.gz", b"t"),
    member(b"usr/bin/other", b"o"),
    member(b"dev/null", kind=b"3"),
    member(b"dev/pipe", kind=b"6"),
)


@pytest.fixture
def files() -> Files:
    return view(ETC)


def test_a_path_is_joined_and_split_as_pathlib_does(files: Files) -> None:
    path = files / "/usr/./bin" / "tool.tar.gz"
    assert str(path) == "/usr/bin/tool.tar.gz"
    assert (path.name, path.stem, path.suffix) == ("tool.tar.gz", "tool.tar", ".gz")
    assert (files / ".hidden").suffix == ""
    assert path.parent == files.joinpath("usr", "bin")
    assert path.parts == ("usr", "bin", "tool.tar.gz")
    assert (str(files), files.name, files.parent == files) == ("/", "", True)
    assert {path, files / "usr/bin/tool.tar.gz"} == {path}
    assert files / "a" < files / "b"


def test_a_path_is_what_importlib_calls_traversable(files: Files) -> None:
    assert isinstance(files / "etc", importlib.resources.abc.Traversable)


@pytest.mark.parametrize("name", ["os-release", "link", "absolute", "out"])
def test_links_are_followed_inside_the_root(files: Files, name: str) -> None:
    path = files / "etc" / name
    assert path.read_text() == "ID=alpine\n"
    assert path.read_bytes() == b"ID=alpine\n"
    assert path.is_file()
    assert str(path.resolve()) == "/etc/os-release"
    assert path.is_symlink() is (name != "os-release")


def test_a_link_to_a_directory_is_one(files: Files) -> None:
    assert (files / "bin").is_dir()
    assert (files / "bin/other").read_text() == "o"
    assert [path.name for path in (files / "bin").iterdir()] == ["other", "tool.tar.gz"]


def test_dots_go_up_from_where_a_link_led(files: Files) -> None:
    assert str((files / "bin/../bin/other").resolve()) == "/usr/bin/other"
    assert str((files / "../../etc").resolve()) == "/etc"


def test_a_dangling_link_is_there_and_leads_nowhere(files: Files) -> None:
    path = files / "etc/dangling"
    assert (path.exists(), path.exists(follow_symlinks=False)) == (False, True)
    assert path.readlink() == "nowhere"
    with pytest.raises(PathNotFound, match="no such file; /etc is there"):
        path.read_text()


def test_what_is_not_there_is_nothing_and_no_error(files: Files) -> None:
    for name in ("etc/nothing", "etc/os-release/below", "etc/round", "no/where"):
        path = files / name
        assert not (path.exists() or path.is_file() or path.is_dir())
        assert name not in files
    assert "etc/link" in files


@pytest.mark.parametrize(
    ("path", "error", "builtin", "reason"),
    [
        ("etc/os-relase", PathNotFound, FileNotFoundError, "no such file; /etc is there"),
        ("opt/x/y", PathNotFound, FileNotFoundError, "no such file; / is there"),
        ("etc/os-release/x", NotADirectory, NotADirectoryError, "/etc/os-release is not a dir"),
        ("etc", IsADirectory, IsADirectoryError, "it is a directory"),
        ("etc/round", PathError, OSError, "too many links, the last in /etc"),
        ("dev/pipe", PathError, OSError, "it is a fifo and has no content"),
        ("dev/null", PathError, OSError, "it is a character device and has no content"),
    ],
)
def test_what_cannot_be_read_says_why(
    files: Files, path: str, error: type[PathError], builtin: type[OSError], reason: str
) -> None:
    for read in (files / path).read_bytes, (files / path).open:
        with pytest.raises(builtin, match=re.escape(f"app:1: /{path}: ")) as raised:
            read()
        assert type(raised.value) is error
        assert reason in str(raised.value)
        assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_a_file_is_no_directory_and_no_link(files: Files) -> None:
    path = files / "etc/os-release"
    for call in path.iterdir, path.walk:
        with pytest.raises(NotADirectory, match="it is a file, not a directory"):
            next(call())
    with pytest.raises(PathError, match="it is a file, not a link"):
        path.readlink()


def test_a_stat_says_what_the_image_says(files: Files) -> None:
    assert (files / "etc/link").stat() == FileStat(
        "file", 0o644, 1, 0, 10, 1_700_000_000.0, layer=0
    )
    link = (files / "etc/link").lstat()
    assert (link.kind, link.target, link.filemode) == ("symlink", "os-release", "lrw-r--r--")
    device = (files / "dev/null").stat()
    assert (device.kind, device.device, device.filemode[0]) == ("character device", (1, 2), "c")


def test_extended_attributes_are_told() -> None:
    records = pax(**{"SCHILY.xattr.user.mark": b"\0\xff", "mtime": b"1.5"})
    stat = (view(layer(records, member(b"a"))) / "a").stat()
    assert (stat.xattrs, stat.mtime) == ({"user.mark": b"\0\xff"}, 1.5)


def test_a_file_is_opened_as_text_or_bytes(files: Files) -> None:
    with (files / "etc/link").open() as text:
        assert text.read() == "ID=alpine\n"
    with (files / "etc/link").open("rb") as stream:
        assert (stream.read(3), stream.read(), stream.read()) == (b"ID=", b"alpine\n", b"")


def test_an_image_cannot_be_written(files: Files) -> None:
    with pytest.raises(PathError, match="'w'"):
        (files / "etc/link").open("w")  # type: ignore[call-overload]  # so is it refused


def test_walk_gives_directories_before_what_is_in_them(files: Files) -> None:
    walked = [(str(top), folders, names) for top, folders, names in files.walk()]
    assert walked[0] == ("/", ["dev", "etc", "usr"], ["bin"])
    assert walked[-1] == ("/usr/bin", [], ["other", "tool.tar.gz"])
    assert [top for top, _, _ in walked] == ["/", "/dev", "/etc", "/usr", "/usr/bin"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("etc/*-release", ["/etc/os-release"]),
        ("bin/*.gz", ["/bin/tool.tar.gz"]),
        ("**/*.gz", ["/usr/bin/tool.tar.gz"]),
        ("**/bin/o*", ["/bin/other", "/usr/bin/other"]),
        ("usr/**", ["/usr", "/usr/bin", "/usr/bin/other", "/usr/bin/tool.tar.gz"]),
        ("*/[no]*", ["/bin/other", "/dev/null", "/etc/os-release", "/etc/out"]),
        ("nothing/*", []),
        ("etc/missing", []),
        ("etc/os-release", ["/etc/os-release"]),
        ("?tc", ["/etc"]),
        ("**/**/other", ["/usr/bin/other"]),
    ],
)
def test_glob_finds_what_matches_each_once(files: Files, pattern: str, found: list[str]) -> None:
    paths = [str(path) for path in files.glob(pattern)]
    assert sorted(paths) == found
    assert len(paths) == len(set(paths))


def test_rglob_looks_at_any_depth(files: Files) -> None:
    assert [str(path) for path in files.rglob("other")] == ["/usr/bin/other"]


def test_a_failing_assertion_shows_what_is_there(files: Files) -> None:
    assert repr(files / "etc/os-release") == "</etc/os-release in app:1: -rw-r--r-- 1:0 10 bytes>"
    assert repr(files / "etc/link").endswith("lrw-r--r-- 0:0 0 bytes -> os-release>")
    assert repr(files / "nope") == "</nope in app:1: there is no such file; / is there>"


def test_names_that_are_no_text_lose_nothing_and_cannot_move_a_cursor() -> None:
    files = view(layer(member(b"\xff\x1b[2J", b"x")))
    [path] = files.iterdir()
    assert path.read_text() == "x"
    assert "\x1b" not in repr(path)
    assert [str(found) for found in files.glob("*J")] == [str(path)]


SECRET = (
    layer(folder(b"root"), member(b"root/.npmrc", b"token")),
    layer(member(b"root/.wh..npmrc"), member(b"root/x")),
    layer(member(b"root/.wh..wh..opq")),
)


def test_a_file_that_was_taken_away_is_still_in_its_layer() -> None:
    files = view(*SECRET)
    assert not (files / "root/.npmrc").exists()
    assert files.in_layers("root/.npmrc") == (
        InLayer(0, "file"),
        InLayer(1, "whiteout"),
        InLayer(2, "opaque"),
    )
    assert (files.layers[0] / "root/.npmrc").read_text() == "token"
    assert files.layers[1].whiteouts == ("/root/.npmrc",)
    assert files.layers[2].whiteouts == ("/root/",)


def test_a_layer_is_asked_with_or_without_a_leading_slash() -> None:
    files = view(*SECRET)
    assert files.in_layers("/root/x") == (InLayer(1, "file"), InLayer(2, "opaque"))
    assert files.in_layers("root") == (
        InLayer(0, "directory"),
        InLayer(1, "directory"),
        InLayer(2, "directory"),
    )
    assert files.in_layers("nowhere") == ()
    assert [layer.number for layer in files.layers] == [0, 1, 2]


def test_what_lies_below_something_taken_away_is_taken_away_too() -> None:
    files = view(layer(member(b"a/b/c")), layer(member(b".wh.a")))
    assert files.in_layers("a/b/c") == (InLayer(0, "file"), InLayer(1, "whiteout"))


def test_one_layer_alone_shows_what_it_adds() -> None:
    upper = view(layer(member(b"a", b"1")), layer(hardlink(b"b", b"a"))).layers[1]
    assert [path.name for path in upper.iterdir()] == ["b"]
    with pytest.raises(PathNotFound, match="a hard link to a, which is not there"):
        (upper / "b").read_text()


def test_nothing_is_read_before_the_first_question_and_then_it_is_listed_once() -> None:
    opened = Opened(b"")
    files = Files([of_tar(ETC, opened=opened)], "app:1")
    path = files / "etc/os-release"
    assert files.layers[0].listed == 0
    assert path.exists()
    assert files.layers[0].listed == 12
    assert opened.count == 0


def test_a_layer_that_is_no_tar_is_refused_at_the_first_question() -> None:
    files = view(b"this is not a tar archive" * 100)
    assert "not a tar archive" in repr(files)
    with pytest.raises(InvalidLayer, match="not a tar archive"):
        (files / "etc").exists()


@pytest.mark.parametrize("name", [b"../x", b"a/../../x"])
def test_a_layer_that_leaves_the_root_is_refused(name: bytes) -> None:
    with pytest.raises(ImagesError, match="leaves the root"):
        (view(member(name) + END) / "x").exists()
