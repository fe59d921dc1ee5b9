"""What works on a disk that is really full: a tmpfs in a mount namespace of its own.

Run as ``unshare --mount python -m tests.survival.full_disk FOLDER OPTIONS``; ends with 0 when all
is as promised.
"""

from __future__ import annotations

import contextlib
import errno
import subprocess
import sys
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.errors import StoreFull
from pytest_images.model.reference import Reference
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole
from tests.survival.scenarios.tag import names_of

KEPT, CACHED, GOING = (samples.image(seed) for seed in ("kept", "cached", "going"))
NEW = samples.image("new", layers=3, size=30_000)


def main(mount: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(mount)], check=True)
    root = mount / "store"
    with Store.open(root) as store:
        KEPT.put(store, "kept:1", "kept:2")
        CACHED.put(store, "cached:1")
        GOING.put(store, "going:1")
        store.forget(CACHED.config.id)
    fill(mount)
    with Store.open(root) as store:  # a process that comes to the full disk
        whole(store, KEPT, "kept:1")
        assert refused(store), "the disk is not full"
        assert set(names_of(store)) == {"kept:1", "kept:2", "going:1"}
        store.unname(Reference.parse("kept:2"))
        fill(mount)
        store.forget(GOING.config.id, delete=True)
        assert not any(map(store.has, GOING.blobs))
        fill(mount)
        store.collect(0)
        assert not any(map(store.has, CACHED.blobs))
        assert set(names_of(store)) == {"kept:1"}
        fill(mount)
        store.sweep()
        whole(store, KEPT, "kept:1")
        for path in mount.glob("filler*"):
            path.unlink()
        report = store.fsck()
        assert report.clean, report.problems
        NEW.put(store, "new:1")
    with Store.open(root) as store:
        whole(store, NEW, "new:1")
        assert set(names_of(store)) == {"kept:1", "new:1"}
        assert store.fsck().clean


def refused(store: Store) -> bool:
    """Whether a newcomer is refused, typed and without a trace."""
    try:
        NEW.put(store, "new:1")
    except StoreFull:
        left = list((store.root / "ingest").iterdir())
        assert not left, left
        return True
    return False


def fill(mount: Path) -> None:
    """Use up every byte and every inode."""
    number = len(list(mount.glob("filler*")))
    with contextlib.suppress(OSError), (mount / f"filler{number}").open("wb", 0) as file:
        size = 1 << 16
        while size:
            try:
                file.write(bytes(size))
            except OSError as error:
                assert error.errno == errno.ENOSPC
                size //= 2
    with contextlib.suppress(OSError):
        for more in range(number + 1, number + 200):  # few are left where there is a limit
            (mount / f"filler{more}").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
