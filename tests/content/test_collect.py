from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.content.durability import Durability
from pytest_images.content.store import Store
from pytest_images.model.digest import Digest
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_name_reaches_is_never_evicted(store: Store) -> None:
    sample = samples.image("named")
    sample.put(store, "app:1")
    assert store.collect(0) == ()
    assert all(map(store.has, sample.blobs))


def test_what_a_dangling_image_reaches_is_never_evicted(store: Store) -> None:
    sample = samples.image("dangling")
    sample.put(store)
    store.collect(0)
    assert all(map(store.has, sample.blobs))


def test_what_a_lease_holds_is_never_evicted(store: Store) -> None:
    sample = samples.image("leased")
    sample.put(store, "app:1")
    layer = Digest.of(sample.layers[0])
    with store.lease() as lease:
        lease.hold(layer)
        store.forget(sample.config.id, delete=True)
        store.collect(0)
        assert store.has(layer)


def test_what_a_live_run_reaches_is_never_evicted(root: Path, store: Store) -> None:
    sample = samples.image("run")
    with Store.open(root, run="one", durability=Durability.FAST) as one:
        sample.put(one, "app:1")
        store.collect(0)
        assert all(map(store.has, sample.blobs))


def test_what_is_arriving_is_never_touched(store: Store) -> None:
    with store.ingest(Digest.of(b"arriving"), 8) as ingest:
        ingest.write(b"arri")
        store.collect(0)
        store.sweep()
        ingest.write(b"ving")
        assert store.has(ingest.commit())


def test_the_cache_is_evicted_until_it_fits_its_budget(store: Store) -> None:
    cached = [samples.image(str(number), size=10_000) for number in range(3)]
    for sample in cached:
        sample.put(store)
        store.forget(sample.config.id)
    before = store.usage().cache_size
    gone = store.collect(before // 2)
    assert gone
    assert store.usage().cache_size <= before // 2
    assert sum(removal.size for removal in gone) == before - store.usage().cache_size


def test_a_cache_within_its_budget_stays(store: Store) -> None:
    sample = samples.image("cached")
    sample.put(store)
    store.forget(sample.config.id)
    assert store.collect(1 << 30) == ()
    assert all(map(store.has, sample.blobs))


def test_a_blob_that_two_images_share_stays_for_the_other(store: Store) -> None:
    base = samples.image("base")
    labelled = samples.image("base", labels={"a": "b"})
    base.put(store, "base:1")
    labelled.put(store, "labelled:1")
    store.forget(base.config.id, delete=True)
    store.collect(0)
    assert all(map(store.has, labelled.blobs))
