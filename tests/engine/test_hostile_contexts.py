"""Contexts that lead elsewhere, hide, grow or change while they are read (rows B01 to B05)."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pytest

from pytest_images.builder import folder
from pytest_images.builder.choosing import mounted, select
from pytest_images.builder.copying import Copying, Order
from pytest_images.builder.export import export
from pytest_images.builder.fingerprints import Fingerprints
from pytest_images.builder.folder import SMALL, FolderTree
from pytest_images.builder.trees import opened
from pytest_images.cli.verbs.build import _secret_file
from pytest_images.dockerfile.ignore import IgnoreRules
from pytest_images.errors import ImagesError, InvalidDockerfile, InvalidUsage, LimitExceeded
from pytest_images.layer.changed import Changed
from pytest_images.layer.writer import LayerWriter
from tests.engine.hostile import holders, refused_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.layer.files import ImagePath
    from tests.ledger import Ledger

CANARY = b"outside of everything"


@pytest.fixture(autouse=True)
def _account(ledger: Ledger) -> None:
    """Every test here leaves nothing, and the canary as it was."""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def names(images: Images, reference: str) -> set[str]:
    """Return the paths of an image, without the leading slash."""
    pending: list[ImagePath] = [images.files(reference)]
    found = set()
    while pending:
        for path in pending.pop().iterdir():
            found.add("/".join(path.parts))
            if path.is_dir() and not path.is_symlink():
                pending.append(path)
    return found


# B01: sources that lead out.

OUTWARD = ["out", "./sub/../out", "../out", "up/canary", "sub/up/canary", "/../canary"]


@pytest.mark.parametrize("source", OUTWARD)
def test_a_source_that_leads_out_is_looked_for_inside(
    images: Images, store: Store, context: Path, home: Path, source: str
) -> None:
    """B01: a link, a folder that is one, ``..``: each ends inside of the context, or nowhere."""
    (context / "out").symlink_to("../canary")
    (context / "up").symlink_to("..")
    (context / "sub").mkdir()
    (context / "sub/up").symlink_to(context.parent)
    text = f"FROM scratch\nCOPY {source} /x\n"
    with refused_whole(store, InvalidDockerfile, "Dockerfile:2", "not found"):
        images.build(context, dockerfile_text=text)
    if "sub/up" not in source:  # an absolute link means another place inside
        (context / "canary").write_bytes(b"of the context")
        images.build(context, dockerfile_text=text, tags="app:1")
        assert (images.files("app:1") / "x").read_bytes() == b"of the context"
    assert holders(home, CANARY) == []


@pytest.mark.parametrize("source", ["o*", "u*/canary", "*/canary", "sub/*/canary", "."])
def test_wildcards_find_links_and_not_what_is_behind_them(
    images: Images, context: Path, home: Path, source: str
) -> None:
    """B01."""
    (context / "out").symlink_to("../canary")
    (context / "up").symlink_to("..")
    (context / "sub").mkdir()
    (context / "sub/up").symlink_to("../..")
    with suppress(InvalidDockerfile):  # nothing matches
        images.build(context, dockerfile_text=f"FROM scratch\nCOPY {source} /x/\n", tags="app:1")
        assert all("canary" not in name for name in names(images, "app:1"))
    if source == ".":
        assert (images.files("app:1") / "x/out").readlink() == "../canary"
    assert holders(home, CANARY) == []


# B02: what a build reads beside files to copy.


def test_a_dockerfile_that_leads_out_is_not_read(
    images: Images, store: Store, context: Path
) -> None:
    """B02."""
    (context / "Dockerfile").symlink_to("../canary")
    with refused_whole(store, InvalidUsage, "Dockerfile", "no such file in the context"):
        images.build(context)


def test_a_dockerfile_outside_is_read_where_the_caller_names_it(
    images: Images, context: Path, tmp_path: Path
) -> None:
    """B02."""
    (tmp_path / "elsewhere").write_text("FROM scratch\nLABEL a=b\n")
    images.build(context, dockerfile=str(tmp_path / "elsewhere"), tags="app:1")
    assert dict(images.inspect("app:1").image.labels) == {"a": "b"}


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore", "Dockerfile.dockerignore"])
@pytest.mark.parametrize("kind", ["fifo", "folder", "huge", "dangling"])
def test_no_odd_file_in_the_place_of_a_dockerfile_or_ignore_file_is_waited_for(
    images: Images, store: Store, context: Path, name: str, kind: str
) -> None:
    """B02: an ignore file that cannot be read would let in what it was to leave out."""
    (context / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (context / name).unlink(missing_ok=True)
    odd(context / name, kind)
    error = LimitExceeded if kind == "huge" else InvalidUsage
    with refused_whole(store, error, name):
        images.build(context)


def odd(path: Path, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to("../../etc/hostname")
    else:
        with path.open("wb") as out:
            out.truncate(1 << 30)


@pytest.mark.parametrize("kind", ["fifo", "huge"])
def test_a_named_dockerfile_outside_is_not_waited_for_either(
    images: Images, store: Store, context: Path, tmp_path: Path, kind: str
) -> None:
    """B02: a pipe that nobody writes to is empty."""
    odd(tmp_path / "named", kind)
    with refused_whole(store, ImagesError, "named"):
        images.build(context, dockerfile=str(tmp_path / "named"))


def test_a_dockerfile_may_come_through_a_pipe(images: Images, context: Path) -> None:
    """B02: as the shell's ``-f <(generate)`` names one."""
    reader, writer = os.pipe()

    def late() -> None:
        with os.fdopen(writer, "wb") as stream:
            stream.write(b"FROM scratch\n")

    thread = threading.Timer(0.2, late)
    thread.start()
    try:
        assert images.build(context, dockerfile=f"/dev/fd/{reader}", tags="app:1").image
    finally:
        thread.join()
        os.close(reader)


@pytest.mark.parametrize("kind", ["fifo", "folder", "huge"])
def test_a_secret_is_a_regular_file_of_bounded_size(tmp_path: Path, kind: str) -> None:
    """B02."""
    odd(tmp_path / "secret", kind)
    with pytest.raises(InvalidUsage, match=r"regular file|bytes at most"):
        _secret_file(tmp_path / "secret")


# B03 and B04: what is left out exists nowhere.

IGNORED = [
    ("*.key\n!keep.key", {"a.key"}, {"keep.key"}),
    ("**/secret", {"secret", "a/secret", "a/b/secret"}, {"a/other"}),
    ("a/\n", {"a/x", "a/b/y"}, {"b/a"}),
    ("../up\n/abs\n", {"abs"}, {"up"}),
    ("\ufeffone\r\n# two\r\n\r\ntwo/\r\n", {"one", "two/x"}, {"three"}),
    ("(a*)*b\n", {"(aaa)b"}, {"ab", "aab"}),
    (".git\n.env\n**/.env\n", {".git/config", ".env", "deep/er/.env"}, {"app.py"}),
]


@pytest.mark.parametrize("case", IGNORED)
def test_what_is_left_out_is_in_no_layer_no_key_and_nowhere_in_the_store(
    images: Images, context: Path, home: Path, case: tuple[str, set[str], set[str]]
) -> None:
    """B03, B04: nor does a change of it change anything."""
    rules, out, inside = case
    for name in out | inside:
        path = context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"c4n4ry" if name in out else b"kept")
    (context / ".dockerignore").write_text(f"{rules}\n.dockerignore\n", "utf-8")
    text = "FROM scratch\nCOPY . /all/\n"
    first = images.build(context, dockerfile_text=text, tags="app:1")
    found = names(images, "app:1")
    assert {f"all/{name}" for name in inside} <= found
    assert not {f"all/{name}" for name in out} & found
    assert holders(home, b"c4n4ry") == []
    for name in out:
        (context / name).write_bytes(b"c4n4ry 2")
    again = images.build(context, dockerfile_text=text)
    assert again.image and first.image
    assert again.image.id == first.image.id
    assert "CACHED" in again.log


@pytest.mark.parametrize("name", [".env", ".git/config"])
def test_what_is_left_out_cannot_be_named(
    images: Images, store: Store, context: Path, home: Path, name: str
) -> None:
    """B04: neither by COPY and ADD nor through a link."""
    (context / name).parent.mkdir(exist_ok=True)
    (context / name).write_bytes(b"c4n4ry")
    (context / "link").symlink_to(name)
    (context / ".dockerignore").write_text(".git\n.env\n")
    for line in (f"COPY {name} /x", f"ADD {name} /x", "COPY link /x"):
        with refused_whole(store, InvalidDockerfile, "Dockerfile:2", "not found"):
            images.build(context, dockerfile_text=f"FROM scratch\n{line}\n")
    assert holders(home, b"c4n4ry") == []


def test_what_is_left_out_of_a_tar_is_nowhere_either(
    images: Images, home: Path, tmp_path: Path
) -> None:
    """B04: the tar is put down for the time of the build alone."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in ((".dockerignore", b".env\n"), (".env", b"c4n4ry"), ("a", b"1")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        content = b"FROM scratch\nCOPY . /\n"
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    stream.seek(0)
    images.build(stream, tags="app:1")
    assert names(images, "app:1") == {".dockerignore", "a", "Dockerfile"}
    assert holders(home, b"c4n4ry") == []


def test_a_hundred_thousand_patterns_walk_a_context_in_linear_time(context: Path) -> None:
    """B03: ten thousand files, most patterns without a wildcard and some with many."""
    for number in range(100):
        (context / f"folder{number}").mkdir()
        for other in range(100):
            (context / f"folder{number}/file{other}").touch()
    lines = [f"folder{n % 100}/file{n}\n" for n in range(99_960)]
    lines += [f"**/{'*a' * 20}b{n}\n" for n in range(40)]
    started = time.process_time()
    rules = IgnoreRules.parse("".join(lines))
    found = sum(1 for _ in FolderTree(context, rules).below(""))
    assert found == 10_100 - 100  # file N lies in folder N % 100 once
    assert time.process_time() - started < 10


# B05: a context that changes while it is copied.


@pytest.fixture
def known(tmp_path: Path, context: Path) -> Fingerprints:
    return Fingerprints(tmp_path, context)


class OnDisk:
    """A layer in a file, which the kernel can copy to."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes | memoryview) -> None:
        self._stream.write(data)

    def fileno(self) -> int:
        return self._stream.fileno()

    def advance(self, count: int) -> None:
        """The descriptor is where it has to be."""


def written(copying: Copying, learn: Fingerprints | None = None) -> bytes:
    with tempfile.TemporaryFile(buffering=0) as stream:
        writer = LayerWriter(OnDisk(cast("BinaryIO", stream)))
        copying.write(writer, None, 1 << 33, learn)
        writer.finish()
        stream.seek(0)
        return stream.read()


CHANGES = ["shorter", "longer", "another", "a link", "a pipe", "a folder", "gone", "replaced"]


def change_file(path: Path, change: str) -> None:
    match change:
        case "shorter":
            os.truncate(path, 3)
        case "longer":
            path.write_bytes(path.read_bytes() + b"more")
        case "another":
            path.write_bytes(b"B" * path.stat().st_size)
        case "replaced":
            new = path.with_name("new")
            new.write_bytes(b"B" * path.stat().st_size)
            new.rename(path)
        case _:
            path.unlink()
            make_instead(path, change)


def make_instead(path: Path, kind: str) -> None:
    if kind == "a link":
        path.symlink_to(path.parents[2] / "canary")
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()


@pytest.mark.parametrize("size", [SMALL + 1, 300_000])
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_between_its_key_and_its_copy_is_an_error(
    context: Path, known: Fingerprints, change: str, size: int
) -> None:
    """B05: some files are read here, large ones are copied by the kernel."""
    path = context / "sub/file"
    path.parent.mkdir()
    path.write_bytes(b"A" * size)
    copying = select(Order((".",), "/x/"), FolderTree(context))
    copying.digest(known)
    change_file(path, change)
    with pytest.raises(Changed, match="sub/file"):
        written(copying)


def test_a_build_is_told_how_to_leave_out_what_keeps_changing(
    images: Images, context: Path
) -> None:
    """B05: a log that is written meanwhile, or the store itself, in the context."""
    path, is_over = context / "log", threading.Event()
    path.write_bytes(b"A" * 20_000_000)

    def keep_changing() -> None:
        while not is_over.is_set():
            with path.open("ab") as file:
                file.write(b"A")

    thread = threading.Thread(target=keep_changing)
    thread.start()
    try:
        with pytest.raises(InvalidDockerfile, match="log: it changed") as caught:
            images.build(context, dockerfile_text="FROM scratch\nCOPY . /\n")
    finally:
        is_over.set()
        thread.join()
    assert caught.value.__notes__ == ["name it in .dockerignore if the image does not need it"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_small_file_is_copied_as_it_was_when_its_key_was_made(
    context: Path, known: Fingerprints, change: str
) -> None:
    """B05: it was read then, and is not looked at again."""
    path = context / "sub/file"
    path.parent.mkdir()
    path.write_bytes(b"A" * 20)
    copying = select(Order((".",), "/x/"), FolderTree(context))
    copying.digest(known)
    before = written(copying)
    change_file(path, change)
    assert written(copying) == before
    assert b"A" * 20 in before


@pytest.mark.parametrize("change", CHANGES)
def test_a_small_file_that_there_was_no_room_to_keep_is_an_error_once_it_changed(
    context: Path, known: Fingerprints, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B05."""
    monkeypatch.setattr(folder, "KEPT", 10)
    test_a_file_that_changes_between_its_key_and_its_copy_is_an_error(context, known, change, 20)


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_read_is_an_error(context: Path, change: str) -> None:
    """B05."""
    path = context / "sub/file"
    path.parent.mkdir()
    path.write_bytes(b"A" * 300_000)
    tree = FolderTree(context)
    item = tree.find("sub/file")
    assert item is not None
    with pytest.raises(Changed), opened(tree, item) as stream:
        stream.read(10)
        change_file(path, change)


@pytest.mark.parametrize("size", [20, SMALL + 1, 300_000])
def test_the_key_is_of_the_bytes_copied_though_nothing_shows_the_change(
    context: Path, known: Fingerprints, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B05: two writes in one tick of a file system's clock leave all its stamps the same."""
    monkeypatch.setattr(folder, "KEPT", 0)
    (context / "file").write_bytes(b"A" * size)
    tree = FolderTree(context)
    copying = select(Order(("file",), "/x"), tree)
    copying.digest(known)
    [chosen] = copying.chosen
    assert tree.promised(chosen.item) == hashlib.sha256(b"A" * size).hexdigest()
    tree.promise(chosen.item, hashlib.sha256(b"B" * size).hexdigest())  # so it was a moment ago
    with pytest.raises(Changed, match="file"):
        written(copying)


def test_what_is_unchanged_is_copied_though_it_is_young(context: Path, known: Fingerprints) -> None:
    (context / "file").write_bytes(b"A" * 300_000)
    copying = select(Order(("file",), "/x"), FolderTree(context))
    copying.digest(known)
    assert b"A" * 300_000 in written(copying)


@pytest.mark.parametrize("change", ["another", "gone", "a link", "new file"])
def test_a_mount_shows_the_files_of_its_key_or_nothing(
    context: Path, known: Fingerprints, tmp_path: Path, change: str
) -> None:
    """B05: a file that came later is in no mount, for it is in no key."""
    path = context / "sub/file"
    path.parent.mkdir()
    path.write_bytes(b"A" * 20)
    copying = mounted("sub", FolderTree(context))
    copying.digest(known)
    if change == "new file":
        path.with_name("later").write_bytes(b"later")
        assert [p.name for p in export(copying, tmp_path / "mount").iterdir()] == ["file"]
        return
    change_file(path, change)
    with pytest.raises(Changed):
        export(copying, tmp_path / "mount")


def test_a_folder_that_becomes_a_link_is_not_followed(context: Path, tmp_path: Path) -> None:
    """B05: between its listing and the listing of what is in it."""
    outside = tmp_path / "outside"
    (context / "a").mkdir()
    (context / "b").mkdir()
    outside.mkdir()
    (outside / "host").write_text("c4n4ry")
    walk = FolderTree(context).below("")
    assert next(walk).path == "a"
    (context / "b").rmdir()
    (context / "b").symlink_to(outside)
    assert next(walk).path == "b"  # a folder when it was listed
    with pytest.raises(Changed, match="b: "):
        next(walk)


@pytest.mark.parametrize("source", [".", "sub", "sub/*", "sub/file"])
def test_no_race_brings_a_file_of_the_host_into_the_image(
    images: Images, context: Path, tmp_path: Path, home: Path, source: str
) -> None:
    """B05: a folder and a link to one outside change places all the time."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"c4n4ry of the host")
    (context / "sub").mkdir()
    (context / "sub/file").write_bytes(b"of the context")
    (context / "other").symlink_to(outside)
    text = f"FROM scratch\nCOPY {source} /x/\n"
    built = failed = 0
    with swapping(context / "sub", context / "other"):
        begun = time.monotonic()
        while (spent := time.monotonic() - begun) < 1.5 or (
            spent < 30 and not (built and (failed or "*" in source))
        ):
            try:
                images.build(context, dockerfile_text=text)
                built += 1
            except InvalidDockerfile:
                failed += 1
    assert holders(home, b"c4n4ry") == []
    # A pattern finds nothing where the link stands just now, which is no error.
    assert failed or "*" in source, "the race was never met"


SWAPPING = """
import os, sys
one, other, spare = sys.argv[1:]
print(flush=True)
while True:
    os.rename(one, spare)
    os.rename(other, one)
    os.rename(one, other)
    os.rename(spare, one)
"""


@contextmanager
def swapping(one: Path, other: Path) -> Iterator[None]:
    """Two names change places as fast as another process can, for a block."""
    words = (sys.executable, "-c", SWAPPING, one, other, one.with_name("spare"))
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()
