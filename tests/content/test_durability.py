from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest

from pytest_images.content.durability import Durability, boot_id
from pytest_images.content.failures import store_error
from pytest_images.content.store import Store
from pytest_images.errors import StoreError, StoreFull, StoreReadOnly
from pytest_images.testing import samples


def test_the_environment_chooses_the_durability(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(root) as store:
        assert store.durability is Durability.SAFE
    monkeypatch.setenv("PYTEST_IMAGES_DURABILITY", "fast")
    with Store.open(root) as store:
        assert store.durability is Durability.FAST
    with Store.open(root, durability=Durability.SAFE) as store:
        assert store.durability is Durability.SAFE


@pytest.mark.parametrize("mode", list(Durability))
def test_fast_means_no_flush_and_safe_means_several(
    root: Path, monkeypatch: pytest.MonkeyPatch, mode: Durability
) -> None:
    with Store.open(root, durability=mode) as store:
        flushed: list[int] = []
        monkeypatch.setattr(os, "fsync", flushed.append)
        samples.image("one").put(store, "one:1")
    assert bool(flushed) is (mode is Durability.SAFE)


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system has no such call")
@pytest.mark.parametrize("placed", [False, True])
@pytest.mark.parametrize("size", [3 << 20, 24 << 20])
@pytest.mark.parametrize("mode", list(Durability))
def test_a_long_blob_is_on_its_way_to_the_disk_while_it_arrives(
    root: Path, monkeypatch: pytest.MonkeyPatch, mode: Durability, size: int, placed: bool
) -> None:
    begun: list[tuple[int, int]] = []
    monkeypatch.setattr(
        os, "posix_fadvise", lambda _, offset, count, __: begun.append((offset, count))
    )
    with Store.open(root, durability=mode) as store, store.ingest() as ingest:
        for _ in range(size >> 20):
            if placed:
                ingest.advance(os.write(ingest.fileno(), bytes(1 << 20)))
            else:
                ingest.write(bytes(1 << 20))
        ingest.commit()
    if mode is Durability.FAST:
        assert begun == []
        return
    assert begun
    ends = [offset + count for offset, count in begun]
    assert [offset for offset, _ in begun[1:]] == ends[:-1]  # each byte once, in order


def test_the_boot_id_stays_while_the_machine_runs() -> None:
    assert boot_id() == boot_id()


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EFBIG, StoreFull),
        (errno.EROFS, StoreReadOnly),
        (errno.EACCES, StoreReadOnly),
        (errno.EIO, StoreError),
        (errno.EXDEV, StoreError),
    ],
)
def test_what_the_system_says_becomes_a_typed_error(number: int, kind: type[StoreError]) -> None:
    error = store_error("/a/blob", OSError(number, os.strerror(number)))
    assert type(error) is kind
    assert "/a/blob" in str(error)
    assert pickle.loads(pickle.dumps(error)).path == "/a/blob"


def test_content_of_an_earlier_start_is_verified_before_it_is_served(root: Path) -> None:
    whole, torn = samples.image("whole"), samples.image("torn")
    with Store.open(root, durability=Durability.FAST) as store:
        whole.put(store, "whole:1")
        torn.put(store, "torn:1")
        layer = store.path(torn.manifest.layers[0].digest)
    layer.write_bytes(bytes(layer.stat().st_size))
    (root / "unflushed").write_text("an earlier start")
    with Store.open(root) as store:
        assert [tag.familiar for image in store.images() for tag in image.tags] == ["whole:1"]
        assert not store.has(torn.manifest.layers[0].digest)
        assert not (root / "unflushed").exists()
        assert store.fsck().clean


def test_the_mark_of_fast_mode_is_made_once(root: Path) -> None:
    for _ in range(2):
        with Store.open(root, durability=Durability.FAST):
            assert (root / "unflushed").read_text() == boot_id()
    with Store.open(root) as store:
        assert store.fsck().clean
    assert (root / "unflushed").exists(), "the machine has not been started again"
