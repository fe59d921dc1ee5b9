"""What dead processes left is swept: a run, a lease, an unfinished blob."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole
from tests.survival.scenarios.tag import names_of

GLOBAL, OWN = samples.image("global"), samples.image("own")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        GLOBAL.put(store, "app:1")
    child = os.fork()
    if child == 0:
        store = Store.open(root, run="dead")
        OWN.put(store, "app:1")
        lease = store.lease()
        lease.hold(OWN.config.id)
        blob = store.ingest()
        blob.write(b"half")
        os._exit(0)
    os.waitpid(child, 0)


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        store.sweep()
        yield "swept"


def holds(store: Store, done: list[str]) -> None:
    whole(store, GLOBAL, "app:1")
    assert set(names_of(store)) == {"app:1"}
    if "swept" in done:
        left = [p for name in ("runs", "leases", "ingest") for p in (store.root / name).iterdir()]
        assert not left
