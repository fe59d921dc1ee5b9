"""The index is made again because it was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole

ONE, TWO = samples.image("one"), samples.image("two")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        ONE.put(store, "one:1")
        TWO.put(store, "two:1")


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        store.fsck(rebuild=True)
        yield "rebuilt"


def holds(store: Store, done: list[str]) -> None:
    whole(store, ONE, "one:1")
    whole(store, TWO, "two:1")
