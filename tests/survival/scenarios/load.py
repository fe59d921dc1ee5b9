"""Several images of one archive come in under names and pinned names, some of which move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole

OLD = samples.image("old")
INDEX = samples.index(samples.image("new"), samples.image("new", platform="linux/arm64"))
NAMES = ("app:1", "app:latest", "localhost:5000/app:1")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        OLD.put(store, "app:1", "app:old")


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store, store.lease() as lease:
        for digest, content in INDEX.blobs.items():
            lease.hold(digest)
            with store.ingest(digest, len(content)) as ingest:
                ingest.write(content)
                ingest.commit()
        new = INDEX.images[0]
        names = [Reference.parse(name) for name in NAMES]
        pinned = [Reference.parse(f"app@{INDEX.index.digest}")]
        store.add(new.manifest, new.config, names, pinned, INDEX.index.digest)
        yield "loaded"


def holds(store: Store, done: list[str]) -> None:
    whole(store, OLD, "app:old")
    stands_for = {store.image(Selector.parse("app:1")).id}
    if "loaded" in done:
        for name in (*NAMES, f"app@{INDEX.index.digest}"):
            whole(store, INDEX.images[0], name)
        index = store.index_of(INDEX.images[0].config.id)
        assert index is not None
        assert index.raw == INDEX.index.raw
    assert stands_for <= {OLD.config.id, INDEX.images[0].config.id}
