from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pytest_images.content import locks
from pytest_images.content.collect import GRACE
from pytest_images.content.durability import Durability
from pytest_images.content.leases import Lease
from pytest_images.content.store import Store
from pytest_images.errors import LockTimeout, StoreDamaged
from pytest_images.model.digest import Digest
from pytest_images.testing import samples
from tests.content.test_collect import cache, used
from tests.ledger import Ledger, refused

ONE = samples.image("one", layers=2)


def old(store: Store, content: bytes) -> Digest:
    """Put a blob that nothing but a lease protects."""
    digest = store.put(content)
    used(store, digest, GRACE + 1)
    return digest


def file_of(lease: Lease) -> Path:
    return lease._path


def test_a_lease_leaves_nothing_behind(store: Store, ledger: Ledger) -> None:
    with store.lease() as lease:
        lease.hold(Digest.of(b"x"))
        assert file_of(lease).stat().st_mode & 0o777 == 0o600
    assert not list((store.root / "leases").iterdir())


def test_a_block_that_fails_ends_its_lease(store: Store) -> None:
    digest = old(store, b"held")
    with pytest.raises(RuntimeError), store.lease() as lease:
        lease.hold(digest)
        raise RuntimeError
    assert [removal.deleted for removal in store.collect(0)] == [digest]


def test_each_of_two_leases_holds_by_itself(store: Store) -> None:
    digest = old(store, b"held twice")
    with store.lease() as one:
        with store.lease() as two:
            one.hold(digest)
            two.hold(digest)
        assert store.collect(0) == ()
    assert len(store.collect(0)) == 1


def test_a_lease_holds_several_at_once_and_notes_each_once(store: Store) -> None:
    one, two = old(store, b"one of two"), old(store, b"two of two")
    with store.lease() as lease:
        lease.hold(one, two, one)
        lease.hold(two)
        [file] = (store.root / "leases").iterdir()
        assert file.read_text().split() == [str(one), str(two)]
        assert store.collect(0) == ()
    assert len(store.collect(0)) == 2


def test_a_lease_of_another_store_object_counts(store: Store, root: Path) -> None:
    digest = old(store, b"held elsewhere")
    with Store.open(root) as other, other.lease() as lease:
        lease.hold(digest)
        assert store.collect(0) == ()


def test_a_lease_holds_sha512_too(store: Store) -> None:
    digest = store.put(b"long", Digest.of(b"long", "sha512"))
    used(store, digest, GRACE + 1)
    with store.lease() as lease:
        lease.hold(digest)
        assert store.collect(0) == ()
    assert len(store.collect(0)) == 1


def test_threads_may_share_a_lease(store: Store) -> None:
    digests = [old(store, b"%d" % number) for number in range(20)]
    with store.lease() as lease:
        threads = [threading.Thread(target=lease.hold, args=(digest,)) for digest in digests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.collect(0) == ()
    assert len(store.collect(0)) == 20


def test_a_line_that_a_full_disk_cut_does_not_spoil_the_next(store: Store) -> None:
    digest = old(store, b"held after")
    with store.lease() as lease:
        file_of(lease).write_bytes(b"\nsha256:0123")
        lease.hold(digest)
        assert store.collect(0) == ()


def test_a_dead_lease_is_swept_and_a_living_one_is_not(store: Store) -> None:
    dead = store.root / "leases" / "0123456789abcdef"
    dead.write_bytes(b"")
    with store.lease() as lease:
        store.sweep()
        assert not dead.exists()
        assert file_of(lease).exists()


def test_what_is_no_lease_file_stops_no_collection(store: Store) -> None:
    cache(store, ONE)
    (store.root / "leases" / "folder").mkdir()
    (store.root / "leases" / "link").symlink_to(store.root / "format")
    assert len(store.collect(0)) == len(ONE.blobs)
    assert (store.root / "format").exists()


def test_holding_waits_no_longer_than_it_was_told_for_a_collection(root: Path) -> None:
    with Store.open(root, lock_timeout=0.05, durability=Durability.FAST) as store:
        collecting = locks.acquire(root / "collect.lock", 0)
        with collecting, store.lease() as lease, refused(LockTimeout, "collect.lock"):
            lease.hold(Digest.of(b"x"))


def test_a_missing_collection_lock_holds_nothing_and_says_so(store: Store) -> None:
    (store.root / "collect.lock").unlink()
    with store.lease() as lease, refused(StoreDamaged, "collect.lock"):
        lease.hold(Digest.of(b"x"))
