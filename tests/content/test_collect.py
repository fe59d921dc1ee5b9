from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pytest_images.content.collect import GRACE
from pytest_images.content.store import Store
from pytest_images.errors import InvalidConfiguration, StoreDamaged
from pytest_images.model.digest import Digest
from pytest_images.testing import samples
from tests.ledger import refused

ONE, TWO = samples.image("one", layers=2), samples.image("two")


def cache(store: Store, sample: samples.Sample) -> None:
    """Make an image's blobs cache: recorded once, reached by nothing any more."""
    sample.put(store)
    store.forget(sample.config.id)


def used(store: Store, digest: Digest, seconds_ago: float) -> None:
    moment = time.time() - seconds_ago
    os.utime(store.path(digest), (moment, moment))


def test_what_is_reached_stays_whatever_the_budget(store: Store) -> None:
    ONE.put(store, "app:1")
    cache(store, TWO)
    removals = store.collect(0)
    assert {removal.deleted for removal in removals} == set(TWO.blobs)
    assert sum(removal.size for removal in removals) == sum(map(len, TWO.blobs.values()))
    assert all(map(store.has, ONE.blobs))
    assert store.fsck().clean


def test_a_cache_within_the_budget_stays(store: Store) -> None:
    cache(store, ONE)
    assert store.collect(sum(map(len, ONE.blobs.values()))) == ()
    assert store.collect() == ()


def test_the_least_recently_used_goes_first(store: Store) -> None:
    cache(store, ONE)
    for age, digest in enumerate(ONE.blobs):
        used(store, digest, 100 + age)
    oldest = list(ONE.blobs)[-1]
    removals = store.collect(sum(map(len, ONE.blobs.values())) - 1)
    assert [removal.deleted for removal in removals] == [oldest]


def test_the_setting_is_the_budget(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    cache(store, ONE)
    monkeypatch.setenv("PYTEST_IMAGES_BUDGET", "0")
    assert len(store.collect()) == len(ONE.blobs)
    monkeypatch.setenv("PYTEST_IMAGES_BUDGET", "much")
    with refused(InvalidConfiguration, "much"):
        store.collect()


def test_a_newcomer_that_was_never_recorded_has_a_day(store: Store) -> None:
    digest = store.put(b"of an operation without a lease")
    assert store.collect(0) == ()
    used(store, digest, GRACE + 1)
    assert [removal.deleted for removal in store.collect(0)] == [digest]


@pytest.mark.parametrize("years", [-1, 1, 30])
def test_no_clock_takes_what_a_lease_holds(store: Store, years: int) -> None:
    """S12."""
    digest = store.put(b"held")
    with store.lease() as lease:
        lease.hold(digest)
        used(store, digest, years * 365 * 86400.0)
        store.collect(0)
        assert store.has(digest)
    assert len(store.collect(0)) == 1, "neither the past nor the future protects it after that"


def test_a_lease_holds_what_is_yet_to_come(store: Store) -> None:
    with store.lease() as lease:
        lease.hold(Digest.of(b"coming"))
        used(store, store.put(b"coming"), GRACE * 2)
        assert store.collect(0) == ()


def test_a_dead_process_holds_nothing(root: Path, store: Store) -> None:
    """S13."""
    digest = store.put(b"held by the dead")
    used(store, digest, GRACE * 2)
    child = os.fork()
    if child == 0:
        Store.open(root).lease().hold(digest)
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert [removal.deleted for removal in store.collect(0)] == [digest]
    assert not list((root / "leases").iterdir())


def test_a_lease_that_has_ended_holds_no_more(store: Store) -> None:
    lease = store.lease()
    lease.end()
    lease.end()
    with pytest.raises(ValueError, match="ended"):
        lease.hold(Digest.of(b""))


def test_names_of_other_runs_hold_their_blobs(root: Path, store: Store) -> None:
    with Store.open(root, run="a") as run:
        ONE.put(run, "app:1")
        assert store.collect(0) == ()
        assert all(map(store.has, ONE.blobs))


def test_a_blob_taken_up_again_between_mark_and_sweep_is_kept(store: Store) -> None:
    """S11."""
    from pytest_images.content.collect import on_disk

    cache(store, ONE)
    collector = store._collector()
    chosen = sorted(on_disk(store._home))
    store.put(ONE.config.raw)  # adopted: it is there already
    gone = collector._delete(chosen, None, known_only=False)
    assert str(ONE.config.id) not in {blob.digest for blob in gone}
    assert store.has(ONE.config.id)


def test_a_blob_leased_between_mark_and_sweep_is_kept(store: Store) -> None:
    from pytest_images.content.collect import on_disk

    cache(store, ONE)
    chosen = sorted(on_disk(store._home))
    with store.lease() as lease:
        lease.hold(ONE.config.id)
        store._collector()._delete(chosen, None, known_only=False)
        assert store.has(ONE.config.id)


@pytest.mark.parametrize("damage", ["record", "manifest"])
def test_nothing_is_deleted_while_a_record_is_in_doubt(store: Store, damage: str) -> None:
    ONE.put(store, "app:1")
    cache(store, TWO)
    record = store.root / "records" / f"i-{ONE.config.id.encoded}"
    if damage == "record":
        record.write_bytes(b"")
    else:
        store.path(ONE.manifest.digest).write_bytes(b"")
    (store.root / "index.sqlite").unlink()
    before = sorted((store.root / "blobs").rglob("*"))
    with refused(StoreDamaged, "doubt"):
        store.collect(0)
    assert sorted((store.root / "blobs").rglob("*")) == before


def test_nothing_is_deleted_because_the_index_is_lost(store: Store) -> None:
    """S23."""
    ONE.put(store, "app:1")
    (store.root / "index.sqlite").unlink()
    store.collect(0)
    assert all(map(store.has, ONE.blobs))


def test_what_a_killed_collection_hid_is_freed(store: Store) -> None:
    (store.root / "trash" / "0123").write_bytes(b"hidden, not yet freed")
    store.sweep()
    assert not list((store.root / "trash").iterdir())


def test_files_that_are_no_blobs_are_not_collected(store: Store) -> None:
    stranger = store.root / "blobs" / "sha256" / "README"
    stranger.write_bytes(b"")
    store.collect(0)
    assert stranger.exists()


def test_what_is_arriving_is_never_touched(store: Store) -> None:
    with store.ingest(Digest.of(b"arriving"), 8) as ingest:
        ingest.write(b"arri")
        store.collect(0)
        store.sweep()
        ingest.write(b"ving")
        assert store.has(ingest.commit())


def test_what_a_dangling_image_reaches_is_never_evicted(store: Store) -> None:
    ONE.put(store)
    store.collect(0)
    assert all(map(store.has, ONE.blobs))


def test_a_blob_that_two_images_share_stays_for_the_other(store: Store) -> None:
    base = samples.image("base")
    labelled = samples.image("base", labels={"a": "b"})
    base.put(store, "base:1")
    labelled.put(store, "labelled:1")
    store.forget(base.config.id, delete=True)
    store.collect(0)
    assert all(map(store.has, labelled.blobs))
