"""An image goes, with its blobs; what it shares stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.errors import ImageNotFound
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole
from tests.survival.scenarios.tag import names_of

GOING, STAYING = samples.image("going", layers=2), samples.image("staying")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        GOING.put(store, "going:1", "going:2")
        STAYING.put(store, "staying:1")


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        try:
            store.forget(GOING.config.id, delete=True)
        except ImageNotFound:  # done in an earlier life, but for the blobs
            store.collect(0)
        yield "removed"


def holds(store: Store, done: list[str]) -> None:
    whole(store, STAYING, "staying:1")
    if "removed" in done:
        assert set(names_of(store)) == {"staying:1"}
        assert not any(store.has(digest) for digest in GOING.blobs)
    elif "going:1" in names_of(store):
        whole(store, GOING, "going:1")
