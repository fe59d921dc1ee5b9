"""The first opening of a store, and its first question."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        yield "opened"
        assert isinstance(store.images(), tuple)
        yield "asked"


def holds(store: Store, done: list[str]) -> None:
    assert isinstance(store.images(), tuple)
