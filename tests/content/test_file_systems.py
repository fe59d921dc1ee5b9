"""S21: a store where the file system is another one than usual."""

from __future__ import annotations

import subprocess
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store
from pytest_images.errors import StoreError, StoreUnsafe
from pytest_images.host import Host
from pytest_images.testing import samples
from tests.peers import miss, peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ledger import Ledger

SIZE = 64 << 20


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[Path]:
    """A folder behind FUSE: each call goes through another process."""
    behind = tmp_path / "behind"
    behind.mkdir()
    yield from mounted(tmp_path / "bound", peer("bindfs"), str(behind))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[str]:
    """A block device with an exFAT file system: no modes, no links, `a` and `A` are the same."""
    image = tmp_path / "exfat.img"
    with image.open("xb") as file:
        file.truncate(SIZE)
    subprocess.run(["mkfs.exfat", image], check=True, capture_output=True)
    words = ["losetup", "--find", "--show", str(image)]
    device = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    yield device
    subprocess.run(["losetup", "--detach", device], check=True)


@pytest.fixture
def exfat(tmp_path: Path, disk: str) -> Iterator[Path]:
    """It is its owner's alone."""
    yield from mounted(tmp_path / "exfat", peer("exfat"), disk, "-o", "umask=077")


@pytest.fixture
def everybodys(tmp_path: Path, disk: str) -> Iterator[Path]:
    """The same, as it is mounted when nobody says how: everybody may write everything."""
    yield from mounted(tmp_path / "exfat", peer("exfat"), disk)


def mounted(at: Path, program: str, source: str, *options: str) -> Iterator[Path]:
    at.mkdir()
    words = [program, *options, source, str(at)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        miss("fuse", f"FUSE does not work here: {done.stderr}")
    try:
        yield at
    finally:
        subprocess.run(["umount", at], check=True, capture_output=True)


def used(root: Path) -> None:
    """Do with a store what a suite does, by two processes' stores in turns."""
    with Host(home=root, load_entry_points=False) as host:
        images = host.images
        images.load(BytesIO(samples.image("one", layers=2).archive("app:a")))
        images.load(BytesIO(samples.image("two", layers=2).archive("app:A")))
    with Host(home=root, load_entry_points=False) as host:
        images = host.images
        assert images.inspect("app:a").image != images.inspect("app:A").image
        built = images.build(
            {"f": b"1"}, tags="made:1", dockerfile_text="FROM app:a\nCOPY f /F\nCOPY f /f\n"
        )
        assert built.image and (images.files("made:1") / "F").read_bytes() == b"1"
        images.tag("app:A", "app:b")
        images.rm("app:A")
        images.rm("made:1")
        images.prune()
        assert {str(name) for image in images.ls() for name in image.tags} == {
            "docker.io/library/app:a",
            "docker.io/library/app:b",
        }
    with Store.open(root) as store:
        assert store.fsck().clean


@pytest.mark.peer("fuse", "bindfs")
def test_a_store_behind_fuse_works(bound: Path) -> None:
    used(bound / "store")


@pytest.mark.peer("fuse", "exfat")
def test_a_store_without_modes_and_capitals_works(exfat: Path) -> None:
    used(exfat / "store")


@pytest.mark.peer("fuse", "exfat")
@pytest.mark.parametrize("there", [False, True], ids=["missing", "empty"])
def test_a_store_that_cannot_be_its_owners_alone_is_refused_at_once(
    everybodys: Path, *, there: bool
) -> None:
    root = everybodys / "store"
    if there:
        root.mkdir()
    with pytest.raises(StoreUnsafe, match=r"others may write to it \(mode 777\)") as caught:
        Store.open(root)
    assert any("umask=077" in note for note in caught.value.__notes__)
    assert root.exists() == there and (not there or not list(root.iterdir()))


@pytest.mark.peer("root")
@pytest.mark.parametrize("folder", ["ingest", "blobs/sha256", "trash"])
def test_a_folder_of_a_store_on_another_file_system_is_told(
    root: Path, folder: str, ledger: Ledger
) -> None:
    with Store.open(root) as store:
        samples.image("one").put(store, "app:1")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", root / folder], check=True)
    try:
        with Host(home=root, load_entry_points=False) as host:
            images = host.images
            with pytest.raises(StoreError, match="another file system") as caught:
                images.load(BytesIO(samples.image("two").archive("app:2")))
                images.rm("app:2")
                images.prune(all=True)
            assert any("Mount" in note for note in caught.value.__notes__)
    finally:
        subprocess.run(["umount", root / folder], check=True)
    with Store.open(root) as store:
        assert [str(name) for image in store.images() for name in image.tags] == [
            "docker.io/library/app:1"
        ]
        assert store.fsck().clean
