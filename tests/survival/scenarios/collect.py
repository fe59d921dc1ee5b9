"""The cache is emptied; what a name or a lease holds stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole

CACHED, STAYING = samples.image("cached", layers=3), samples.image("staying")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        CACHED.put(store, "cached:1")
        STAYING.put(store, "staying:1")
        store.forget(CACHED.config.id)


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        with store.lease() as lease:
            lease.hold(CACHED.manifest.digest)
            here = store.has(CACHED.manifest.digest)  # not any more in a second life
            store.collect(0)
            assert store.has(CACHED.manifest.digest) == here
            yield "most"
        store.collect(0)
        yield "all"


def holds(store: Store, done: list[str]) -> None:
    whole(store, STAYING, "staying:1")
    if "all" in done:
        assert not any(store.has(digest) for digest in CACHED.blobs)
