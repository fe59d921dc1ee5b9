"""Acknowledges in fast mode what only a flush would bring to the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.survival.scenarios import fast

DURABILITY = fast.DURABILITY
prepare, holds = fast.prepare, fast.holds


def steps(root: Path) -> Iterator[str]:
    yield from fast.steps(root)
    (root / "reserve").write_bytes(b"one more operation to meet a fault")
