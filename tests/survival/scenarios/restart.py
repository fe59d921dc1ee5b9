"""Fast mode, and the machine starts again: names may be lost, no wrong byte is ever served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.durability import Durability
from pytest_images.content.store import Store
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole

SAMPLE, SAFE = samples.image("fast", layers=2), samples.image("safe")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        SAFE.put(store, "safe:1")


def steps(root: Path) -> Iterator[str]:
    with Store.open(root, durability=Durability.FAST) as store:
        SAMPLE.put(store, "app:1", "app:2")
    (root / "reserve").write_bytes(b"one more operation to meet a fault")
    yield "written"


def restarted(root: Path) -> None:
    mark = root / "unflushed"
    if mark.exists():
        mark.write_text("the start before this one")


def holds(store: Store, done: list[str]) -> None:
    whole(store, SAFE, "safe:1")
    for image in store.images():
        store.manifest_of(image.id)
    for digest, content in SAMPLE.blobs.items():
        assert not store.has(digest) or store.read(digest) == content
