"""A long blob comes in piece by piece: hashed, and on its way to the disk, while it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.ingest import FOLLOW_FROM
from pytest_images.content.store import Store
from pytest_images.testing import samples
from tests.survival.scenarios.put import holds_sample, prepare

SAMPLE = samples.image("long", size=3 * FOLLOW_FROM)
PIECE = FOLLOW_FROM // 2

__all__ = ["holds", "prepare", "steps"]


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        for digest, content in SAMPLE.blobs.items():
            with store.ingest(digest, len(content)) as ingest:
                for start in range(0, len(content), PIECE):
                    ingest.write(content[start : start + PIECE])
                ingest.commit()
        SAMPLE.put(store, "app:1")
        yield "put"


def holds(store: Store, done: list[str]) -> None:
    holds_sample(store, SAMPLE, done)
