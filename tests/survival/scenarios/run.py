"""A run makes names of its own, hides a global one, and ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.model.reference import Reference
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole
from tests.survival.scenarios.tag import names_of

GLOBAL, OWN = samples.image("global"), samples.image("own")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        GLOBAL.put(store, "app:1", "other:1")


def steps(root: Path) -> Iterator[str]:
    with Store.open(root, run="r1") as store:
        OWN.put(store, "app:1")
        store.unname(Reference.parse("other:1"))
        whole(store, OWN, "app:1")
        assert set(names_of(store)) == {"app:1"}
        yield "used"
    with Store.open(root) as store:
        store.end_run("r1")
        yield "ended"


def holds(store: Store, done: list[str]) -> None:
    whole(store, GLOBAL, "app:1")
    assert set(names_of(store)) == {"app:1", "other:1"}
    store.sweep()  # nobody of the run lives any more, however it ended
    assert not list((store.root / "runs").iterdir())
