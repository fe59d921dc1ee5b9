"""What works in a store on a disk mounted read-only, whole or with a change cut short."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.errors import StoreError, StoreReadOnly
from pytest_images.model.reference import Reference
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole

ONE = samples.image("one")


def main(folder: Path) -> None:
    root = folder / "store"
    with Store.open(root) as store:
        ONE.put(store, "one:1")
    spoil: list[Callable[[], object]] = [
        lambda: None,
        (root / "records" / ".new-left").touch,
        (root / "index.sqlite").unlink,
    ]
    for change in spoil:
        change()
        look(root)


def look(root: Path) -> None:
    subprocess.run(["mount", "--bind", str(root), str(root)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(root)], check=True)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    with Store.open(root) as store:
        whole(store, ONE, "one:1")
        assert len(store.images()) == 1
        writes: list[Callable[[], object]] = [
            lambda: store.put(b"new"),
            lambda: store.name(Reference.parse("two:1"), ONE.config.id),
            lambda: store.unname(Reference.parse("one:1")),
            store.lease,
            lambda: store.remember(Reference.parse("one:1"), ONE.manifest.digest),
        ]
        for write in writes:
            try:
                write()
            except StoreReadOnly:
                continue
            raise AssertionError("a read-only store was written")
        try:
            store.fsck()
        except StoreError as error:
            assert isinstance(error, StoreReadOnly), error
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    subprocess.run(["umount", str(root)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
