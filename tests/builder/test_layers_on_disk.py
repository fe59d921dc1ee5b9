"""Layers to folders and back: what RUN stands on, and what it changed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_images.builder import snapshot
from pytest_images.builder.roots import Roots, Unpackable
from pytest_images.content.store import Store
from pytest_images.errors import DigestMismatch, InvalidLayer, LimitExceeded
from pytest_images.layer.measure import measure
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Entry, LayerWriter
from pytest_images.model.digest import Digest
from tests.peers import miss, peer, shared_images

NOW = 315532800


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    if not hasattr(os, "setxattr"):
        pytest.skip("layers are unpacked on Linux only")
    peer("root")
    with Store.open(tmp_path / "store") as store:
        yield store
    shutil.rmtree(tmp_path / "store")


def layer(store: Store, *entries: Entry | tuple[Entry, bytes]) -> Unpackable:
    """A plain layer of *entries*, in the store."""
    with store.ingest() as ingest:
        writer = LayerWriter(ingest)
        for each in entries:
            if isinstance(each, Entry):
                writer.add(each)
            else:
                writer.add_bytes(*each)
        writer.finish()
        digest = ingest.commit()
    return Unpackable(digest, digest)


def file(name: str, content: bytes = b"", mode: int = 0o644, **facts: Any) -> tuple[Entry, bytes]:
    entry = Entry(name.encode(), Kind.FILE, mode, size=len(content), **facts)
    return entry, content


def folder(name: str, mode: int = 0o755, **facts: Any) -> Entry:
    return Entry(name.encode(), Kind.DIRECTORY, mode, **facts)


def link(name: str, target: str) -> Entry:
    return Entry(name.encode(), Kind.SYMLINK, 0o777, linkname=target.encode())


def merged(store: Store, *layers: Unpackable) -> Path:
    path = Path(tempfile.mkdtemp(dir=store.workspace("steps")))
    Roots(store).merge(layers, path)
    return path


def names(path: Path) -> set[str]:
    return {str(each.relative_to(path)) for each in path.rglob("*")}


def listed(store: Store, digest: Digest) -> list[str]:
    done = subprocess.run([peer("tar"), "-tf", store.path(digest)], capture_output=True, check=True)
    return done.stdout.decode().split()


def test_files_keep_owner_mode_and_time(store: Store) -> None:
    """T10."""
    root = merged(
        store,
        layer(store, folder("d", 0o1711, uid=7), file("d/f", b"x", 0o4755, uid=3, gid=4, mtime=99)),
    )
    found = (root / "d/f").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (3, 4, 0o4755)
    assert found.st_mtime == 99
    above = (root / "d").stat()
    assert (above.st_uid, stat.S_IMODE(above.st_mode), above.st_mtime) == (7, 0o1711, 0)


def test_a_link_that_leads_out_leads_nowhere(store: Store, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.mkdir()
    hostile = layer(
        store,
        link("out", str(canary)),
        link("up", "../" * 20 + str(canary)),
        folder(str(canary)[1:]),
        file("out/a", b"1"),
        file("up/b", b"2"),
    )
    root = merged(store, hostile)
    assert list(canary.iterdir()) == []
    assert (root / str(canary)[1:] / "a").read_bytes() == b"1"


def test_a_legal_link_is_followed_inside(store: Store) -> None:
    root = merged(
        store, layer(store, folder("run"), link("var/run", "/run"), file("var/run/x", b"1"))
    )
    assert (root / "run/x").read_bytes() == b"1"


def test_a_chain_of_long_links_leads_nowhere_outside(store: Store, tmp_path: Path) -> None:
    """T03: the paths together are longer than any single one may be."""
    canary = tmp_path / "canary"
    canary.mkdir()
    long = "d" * 247
    names = "abcdefghijklmnop"
    entries: list[Entry | tuple[Entry, bytes]] = []
    path = ""
    for name in names:
        entries += [folder(path + long), link(path + name, long)]
        path += long + "/"
    short = "/".join(names)
    entries += [
        link(f"{short}/{long}", "../" * len(names)),
        link("escape", f"{short}/{long}/{'../' * 20}{canary}"),
        file("escape/file", b"x"),
    ]
    with contextlib.suppress(InvalidLayer, LimitExceeded, OSError):
        merged(store, layer(store, *entries))
    assert list(canary.iterdir()) == []


def test_a_folder_swapped_for_a_link_meanwhile_leads_nowhere_outside(
    store: Store, tmp_path: Path
) -> None:
    """T08: another process with access to the folder, which only its owner has."""
    canary = tmp_path / "canary"
    canary.mkdir()
    root = Path(tempfile.mkdtemp(dir=store.workspace("steps")))
    many = layer(store, *(file(f"d/{number}", b"x") for number in range(1000)))
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            with contextlib.suppress(OSError):
                (root / "d").rename(root / "aside")
                (root / "d").symlink_to(canary)
                (root / "d").unlink()
                (root / "aside").rename(root / "d")

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for _ in range(3):
            with contextlib.suppress(InvalidLayer, OSError):
                Roots(store).merge([many], root)
    finally:
        done.set()
        swapping.join()
    assert list(canary.iterdir()) == []


def test_modes_and_times_of_a_link_do_not_reach_its_target(store: Store, tmp_path: Path) -> None:
    """T11."""
    canary = tmp_path / "canary"
    canary.write_bytes(b"")
    canary.chmod(0o600)
    before = canary.stat()
    hostile = Entry(b"l", Kind.SYMLINK, 0o777, 7, 7, 9, linkname=str(canary).encode())
    root = merged(store, layer(store, hostile))
    after = canary.stat()
    assert (root / "l").lstat().st_uid == 7
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    assert after.st_mtime == before.st_mtime


@pytest.mark.parametrize("target", ["../x", "/etc/passwd", "later", "itself"])
def test_a_hard_link_to_nothing_is_refused_and_nothing_of_it_stays(
    store: Store, target: str
) -> None:
    bad = layer(store, Entry(b"itself", Kind.HARDLINK, 0o644, linkname=target.encode()))
    with pytest.raises(InvalidLayer), Roots(store).unpacked([bad]):
        pass
    assert [path.name for path in store.workspace("roots").iterdir() if path.is_dir()] == []


def test_names_need_not_be_text(store: Store) -> None:
    inner = Entry(b"\xff/\xc3", Kind.FILE, 0o644)
    root = merged(store, layer(store, Entry(b"\xff", Kind.DIRECTORY, 0o755), (inner, b"")))
    assert names(root) == {os.fsdecode(b"\xff"), os.fsdecode(b"\xff/\xc3")}


def test_what_a_layer_takes_away_is_gone(store: Store) -> None:
    base = layer(store, folder("d"), file("d/a"), file("d/b"), folder("e"), file("e/x"), file("f"))
    top = layer(store, file("d/.wh.a"), file("e/.wh..wh..opq"), file("e/new"), file(".wh.f"))
    assert names(merged(store, base, top)) == {"d", "d/b", "e", "e/new"}


def test_a_whiteout_takes_nothing_of_its_own_layer(store: Store) -> None:
    base = layer(store, folder("d"), file("d/old"))
    for entries in (
        (file(".wh.d"), folder("d"), file("d/new")),
        (folder("d"), file("d/new"), file(".wh.d")),
    ):
        assert names(merged(store, base, layer(store, *entries))) == {"d", "d/new"}


def test_a_wrong_diff_id_is_found(store: Store) -> None:
    digest, _ = layer(store, file("a"))
    wrong = Unpackable(digest, Digest.of(b"other"))
    with pytest.raises(DigestMismatch), Roots(store).unpacked([wrong]):
        pass


def test_a_folder_gets_its_mode_though_nobody_may_enter(store: Store) -> None:
    """T10."""
    root = merged(store, layer(store, folder("closed", 0), file("closed/in", b"x")))
    assert stat.S_IMODE((root / "closed").stat().st_mode) == 0


def test_alpine_is_unpacked_as_gnu_tar_does(store: Store, tmp_path: Path) -> None:
    shared = shared_images()
    if shared is None:
        miss("shared", "the real images are not at hand")
    [archive] = shared.glob("alpine/alpine-minirootfs-3.20*x86_64.tar.gz")
    digest = store.put(archive.read_bytes())
    with archive.open("rb") as stream:
        facts = measure(stream, "alpine")
    root = merged(store, Unpackable(digest, facts.diff_id))
    expected = tmp_path / "expected"
    expected.mkdir()
    subprocess.run([peer("tar"), "-xpf", archive, "-C", expected, "--numeric-owner"], check=True)
    assert described(root) == described(expected)


def described(root: Path) -> dict[str, tuple[object, ...]]:
    found = {}
    for path in root.rglob("*"):
        info = path.lstat()
        what = path.readlink() if path.is_symlink() else ""
        content = path.read_bytes() if stat.S_ISREG(info.st_mode) else b""
        times = () if path.is_symlink() else (int(info.st_mtime),)
        found[str(path.relative_to(root))] = (
            *(info.st_mode, info.st_uid, info.st_gid, what, content, *times),
        )
    return found


# The way back.


def taken(store: Store, upper: Path, lowers: list[Path]) -> tuple[bool, list[str], Digest]:
    with store.ingest() as ingest:
        writer = LayerWriter(ingest)
        changed = snapshot.write_upper(upper, lowers, writer, NOW)
        writer.finish()
        digest = ingest.commit()
    return changed, listed(store, digest), digest


@pytest.fixture
def disk(tmp_path: Path) -> tuple[Path, Path]:
    """An upper folder and one below it, with ``etc`` in both."""
    upper, lower = tmp_path / "upper", tmp_path / "lower"
    for path in (upper, lower):
        (path / "etc").mkdir(parents=True)
        os.utime(path / "etc", (5, 5))
    return upper, lower


def test_a_folder_that_was_only_copied_up_is_no_change(
    store: Store, disk: tuple[Path, Path]
) -> None:
    upper, lower = disk
    assert taken(store, upper, [lower])[:2] == (False, [])


def test_a_change_brings_the_folders_above_it(store: Store, disk: tuple[Path, Path]) -> None:
    upper, lower = disk
    (upper / "etc/new").write_bytes(b"x")
    assert taken(store, upper, [lower])[:2] == (True, ["etc/", "etc/new"])


def test_a_folder_with_another_mode_is_a_change(store: Store, disk: tuple[Path, Path]) -> None:
    upper, lower = disk
    (upper / "etc").chmod(0o700)
    assert taken(store, upper, [lower])[1] == ["etc/"]


def test_the_marks_of_an_overlay_become_whiteouts(store: Store, disk: tuple[Path, Path]) -> None:
    upper, lower = disk
    (lower / "gone").write_bytes(b"")
    os.mknod(upper / "gone", stat.S_IFCHR, 0)
    os.setxattr(upper / "etc", "user.overlay.opaque", b"y")
    assert taken(store, upper, [lower])[1] == ["etc/", "etc/.wh..wh..opq", ".wh.gone"]


def test_hard_links_stay_links_and_sockets_stay_away(store: Store, disk: tuple[Path, Path]) -> None:
    import socket

    upper, lower = disk
    (upper / "a").write_bytes(b"content")
    (upper / "b").hardlink_to(upper / "a")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(upper / "socket"))
    _, members, digest = taken(store, upper, [lower])
    assert members == ["a", "b"]
    again = merged(store, Unpackable(digest, digest))
    assert (again / "a").stat().st_ino == (again / "b").stat().st_ino


def test_attributes_of_files_are_kept_and_those_of_the_overlay_are_not(
    store: Store, disk: tuple[Path, Path]
) -> None:
    upper, lower = disk
    (upper / "a").write_bytes(b"")
    os.setxattr(upper / "a", "user.note", b"\x00kept")
    os.setxattr(upper / "a", "user.overlay.origin", b"")
    _, _, digest = taken(store, upper, [lower])
    again = merged(store, Unpackable(digest, digest))
    assert os.listxattr(again / "a") == ["user.note"]


def test_the_same_change_gives_the_same_bytes_whenever_it_was_made(
    store: Store, disk: tuple[Path, Path]
) -> None:
    upper, lower = disk
    digests = []
    for when in (NOW + 5, NOW + 99):
        (upper / "a").write_bytes(b"x")
        os.utime(upper / "a", (when, when))
        os.utime(upper, (when, when))
        digests.append(taken(store, upper, [lower])[2])
    assert digests[0] == digests[1]


def test_a_whole_folder_is_compared_with_what_it_was(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "d/deep").mkdir(parents=True)
    for name in ("same", "changed", "gone", "d/in"):
        (root / name).write_bytes(b"1")
    before = snapshot.Before.of(root)
    (root / "changed").write_bytes(b"2")
    (root / "gone").unlink()
    shutil.rmtree(root / "d")
    (root / "new").write_bytes(b"3")
    with store.ingest() as ingest:
        writer = LayerWriter(ingest)
        assert snapshot.write_folder(root, before, writer, NOW)
        writer.finish()
        digest = ingest.commit()
    assert sorted(listed(store, digest)) == [".wh.d", ".wh.gone", "changed", "new"]


# Kept from build to build.


def test_a_layer_is_unpacked_once_and_kept(store: Store) -> None:
    one = layer(store, file("a", b"x"))
    roots = Roots(store)
    with roots.unpacked([one]) as [path]:
        inode = path.stat().st_ino
    with roots.unpacked([one]) as [path]:
        assert path.stat().st_ino == inode


def test_what_is_in_use_is_not_cleared_and_the_rest_is(store: Store) -> None:
    used, unused = layer(store, file("a")), layer(store, file("b"))
    roots = Roots(store)
    with roots.unpacked([unused]):
        pass
    with roots.unpacked([used]) as [path]:
        roots.clear(older=-1)
        left = [each.name for each in store.workspace("roots").iterdir() if each.is_dir()]
        assert left == [path.name]


def test_the_check_of_a_store_takes_no_offence_at_owners_of_unpacked_files(store: Store) -> None:
    with Roots(store).unpacked([layer(store, file("a", uid=1000, mode=0o777))]):
        pass
    assert store.fsck().problems == ()
