"""Acknowledges what it never did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)


def steps(root: Path) -> Iterator[str]:
    with Store.open(root):
        yield "named"


def holds(store: Store, done: list[str]) -> None:
    assert store.images() or "named" not in done, "acknowledged but lost"
