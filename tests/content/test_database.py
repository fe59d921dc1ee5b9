from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_images.content import database
from pytest_images.content.durability import Durability
from pytest_images.content.facts import LayerFacts
from pytest_images.content.store import Store
from pytest_images.errors import LockTimeout, StoreUnsafe
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector
from pytest_images.testing import samples
from tests.ledger import Ledger, refused

ONE = samples.image("one", layers=2)


@pytest.fixture
def file(root: Path) -> Path:
    """The database of a store with an image in it, closed."""
    with Store.open(root, durability=Durability.FAST) as store:
        ONE.put(store, "one:1")
    return root / "index.sqlite"


def ask(file: Path, question: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        found = connection.execute(question).fetchall()
        connection.commit()
    return found


def test_the_schema_has_a_version_and_its_tables(file: Path) -> None:
    assert ask(file, "PRAGMA user_version") == [(database.SCHEMA,)]
    tables = ask(file, "SELECT name FROM sqlite_master WHERE type='table'")
    assert {name for (name,) in tables} == database.TABLES


def test_a_journal_is_left_empty_and_never_a_log(file: Path) -> None:
    assert ask(file, "PRAGMA journal_mode") != [("wal",)]
    assert not file.with_name("index.sqlite-wal").exists()
    journal = file.with_name("index.sqlite-journal")
    assert not journal.exists() or journal.stat().st_size == 0


def test_the_database_is_its_owners_alone(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["a b", "a?b", "a#b", "50%", "50%25", "ä:", "a\\b", "\udcff"])
def test_a_store_may_lie_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    with Store.open(tmp_path / name, durability=Durability.FAST) as store:
        image = ONE.put(store, "one:1")
    assert ask(tmp_path / name / "index.sqlite", "SELECT id FROM image") == [(str(image.id),)]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "zeroed": lambda file: file.write_bytes(bytes(file.stat().st_size)),
    "cut in the header": lambda file: os.truncate(file, 50),
    "cut in the middle": lambda file: os.truncate(file, file.stat().st_size // 2),
    "another program's": lambda file: file.write_bytes(b"%PDF-1.4 " * 1000),
    "without a table": lambda file: ask(file, "DROP TABLE name"),
    "without a column": lambda file: ask(file, "ALTER TABLE image DROP COLUMN source"),
    "without a kind": lambda file: ask(file, "DELETE FROM kind"),
    "of an older version": lambda file: ask(file, "PRAGMA user_version=1"),
    "without its version": lambda file: ask(file, "PRAGMA user_version=0"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_made_again_from_the_files(
    file: Path, root: Path, ledger: Ledger, damage: str
) -> None:
    DAMAGES[damage](file)
    with Store.open(root) as store:
        assert store.image(Selector.parse("one:1")).id == ONE.config.id
        store.name(Reference.parse("two:1"), ONE.config.id)
        assert [tag.familiar for tag in store.images()[0].tags] == ["one:1", "two:1"]
        assert store.fsck().clean


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_change_does_not_need_a_whole_database(file: Path, root: Path, damage: str) -> None:
    DAMAGES[damage](file)
    with Store.open(root) as store:
        assert store.unname(Reference.parse("one:1")) == ONE.config.id
        store.collect(0)
        assert all(map(store.has, ONE.blobs)), "nothing is deleted for a lost index"


def test_a_database_lost_while_it_is_open_is_made_again(store: Store) -> None:
    ONE.put(store, "one:1")
    (store.root / "index.sqlite").unlink()
    assert store.image(Selector.parse("one:1")).id == ONE.config.id


def test_what_is_known_of_layers_survives_a_check(file: Path, root: Path) -> None:
    layer, tar = ONE.manifest.layers[0].digest, ONE.tars[0]
    facts = LayerFacts(Digest.of(tar), len(tar), 1000)
    with Store.open(root) as store:
        store.add_layer(layer, facts)
        store.fsck(repair=True)
        assert store.layer(layer) == facts


@pytest.mark.parametrize("kind", ["link", "folder", "fifo"])
def test_a_database_that_is_no_regular_file_is_refused(file: Path, root: Path, kind: str) -> None:
    target = root.parent / "target"
    file.rename(target)
    before = target.read_bytes()
    match kind:
        case "link":
            file.symlink_to(target)
        case "folder":
            file.mkdir()
        case _:
            os.mkfifo(file)
    with Store.open(root) as store, refused(StoreUnsafe, "index.sqlite"):
        store.images()
    assert target.read_bytes() == before


def test_a_program_that_sits_on_the_database_is_waited_for_in_bounds(
    file: Path, root: Path
) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with Store.open(root, lock_timeout=0.1) as store, refused(LockTimeout, "index.sqlite"):
            store.images()
        other.execute("ROLLBACK")
    with Store.open(root) as store:
        assert len(store.images()) == 1


def test_nothing_remains_open_after_the_store_is_closed(root: Path, ledger: Ledger) -> None:
    with Store.open(root, durability=Durability.FAST) as store:
        ONE.put(store, "one:1")
        store.close()  # and once more at the end of the block
