"""A damaged store is repaired: what is whole stays, what cannot be whole goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole
from tests.survival.scenarios.tag import names_of

REPAIR = True
WHOLE, BROKEN = samples.image("whole"), samples.image("broken", layers=2)


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        WHOLE.put(store, "whole:1", "whole:2")
        BROKEN.put(store, "broken:1")
        layer = store.path(BROKEN.manifest.layers[1].digest)
    layer.write_bytes(b"x" * layer.stat().st_size)
    record = next((root / "records").glob("i-" + WHOLE.config.id.encoded))
    record.write_bytes(b"{")


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        store.fsck(repair=True)
        yield "repaired"


def holds(store: Store, done: list[str]) -> None:
    whole(store, WHOLE, "whole:1")
    whole(store, WHOLE, "whole:2")
    assert set(names_of(store)) == {"whole:1", "whole:2"}
