"""The index is garbage; the next question makes it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from tests.survival.scenarios import rebuild

REPAIR = True
holds = rebuild.holds


def prepare(root: Path) -> None:
    rebuild.prepare(root)
    (root / "index.sqlite").write_bytes(b"garbage " * 1000)


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        assert len(store.images()) == 2
        yield "mended"
