"""Fast mode: nothing is flushed; a kill costs nothing, and no wrong byte is ever served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.durability import Durability
from pytest_images.content.store import Store
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole

DURABILITY = Durability.FAST
SAMPLE = samples.image("fast", layers=2)


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)


def steps(root: Path) -> Iterator[str]:
    with Store.open(root, durability=Durability.FAST) as store:
        SAMPLE.put(store, "app:1")
        yield "put"


def holds(store: Store, done: list[str]) -> None:
    if "put" in done:
        whole(store, SAMPLE, "app:1")
