"""A store with very many blobs and names: what it takes to open, check and empty it.

Run as ``python -m tests.survival.many FOLDER BLOBS NAMES``; prints seconds of the processor
and peak bytes as JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path

from pytest_images.content.durability import Durability
from pytest_images.content.store import Store
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector
from pytest_images.testing import samples
from tests.ledger import peak_memory

SAMPLE = samples.image("many")
OLD = time.time() - 100 * 3600  # what was never part of an image is spared for a day


def fill(root: Path, blobs: int, names: int) -> None:
    """Make the blobs past the store, as if they had been there for long; the names by it."""
    with Store.open(root, durability=Durability.FAST) as store:
        SAMPLE.put(store, "many:1")
        for start in range(0, names, 1000):
            some = [Reference.parse(f"many:n{number}") for number in range(start, start + 1000)]
            store.add(SAMPLE.manifest, SAMPLE.config, some[: names - start])
        folder = store.root / "blobs/sha256"
    for number in range(blobs):
        content = b"%d" % number
        path = folder / hashlib.sha256(content).hexdigest()
        path.write_bytes(content)
        path.chmod(0o600)
        os.utime(path, (OLD, OLD))


def main(root: Path, blobs: int, names: int) -> None:
    fill(root, blobs, names)
    took = {"memory before": float(peak_memory())}
    clock = time.process_time()

    def lap(what: str) -> None:
        nonlocal clock
        took[what] = time.process_time() - clock
        clock = time.process_time()

    with Store.open(root, durability=Durability.FAST) as store:
        store.image(Selector.parse(f"many:n{names - 1}"))
        lap("open")
        assert len(store.images()) == 1
        lap("list")
        report = store.fsck()
        assert report.clean, report.problems[:3]
        lap("fsck")
        assert len(store.collect(0)) == blobs
        lap("gc")
        assert store.has(SAMPLE.config.id)
    took["memory"] = float(peak_memory())
    print(json.dumps(took))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
