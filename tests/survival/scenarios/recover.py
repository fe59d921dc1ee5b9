"""A change that was cut short is met by the next process, which is killed as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.names import Record
from pytest_images.content.store import Store
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole
from tests.survival.scenarios.tag import names_of

ONE = samples.image("one")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        ONE.put(store, "one:1")
    record = Record("docker.io/library/cut:1", str(ONE.config.id), str(ONE.manifest.digest))
    path = root / "records" / record.file
    path.write_bytes(record.to_json())  # renamed, not committed
    path.chmod(0o600)
    (root / "records" / f".new-{record.file}").write_bytes(b"{")


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        whole(store, ONE, "cut:1")
        yield "recovered"


def holds(store: Store, done: list[str]) -> None:
    whole(store, ONE, "one:1")
    assert set(names_of(store)) == {"one:1", "cut:1"}
