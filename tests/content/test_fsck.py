from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.durability import Durability
from pytest_images.content.names import Record, file_of_image
from pytest_images.content.store import Store
from pytest_images.errors import StoreDamaged, StoreTooNew
from pytest_images.model.digest import Digest
from pytest_images.model.selector import Selector
from pytest_images.testing import samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEPT, HURT = samples.image("kept"), samples.image("hurt")


@pytest.fixture
def filled(root: Path) -> Path:
    """A store of two images, closed."""
    with Store.open(root, durability=Durability.SAFE) as store:
        KEPT.put(store, "kept:1")
        HURT.put(store, "hurt:1")
    return root


def blob(root: Path, digest: Digest) -> Path:
    return root / "blobs" / digest.algorithm / digest.encoded


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    overwrite(path, bytes(content))


def first_record(root: Path) -> Path:
    with Store.open(root) as store:
        store.images()
    return sorted((root / "records").iterdir())[0]


def record_of(root: Path, sample: samples.Sample) -> Path:
    return root / "records" / file_of_image(str(sample.config.id))


def replaced(path: Path) -> Path:
    path.unlink()
    return path


def sql(root: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(root / "index.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()


LAYER = Digest.of(HURT.layers[0])
DAMAGES: dict[str, Callable[[Path], object]] = {
    "a layer is missing": lambda root: blob(root, LAYER).unlink(),
    "a layer is empty": lambda root: overwrite(blob(root, LAYER), b""),
    "a layer has a flipped bit": lambda root: flip(blob(root, LAYER)),
    "a layer is cut": lambda root: overwrite(blob(root, LAYER), HURT.layers[0][:-1]),
    "a layer is longer": lambda root: overwrite(blob(root, LAYER), HURT.layers[0] + b"x"),
    "a config is missing": lambda root: blob(root, HURT.config.id).unlink(),
    "a config has a flipped bit": lambda root: flip(blob(root, HURT.config.id)),
    "a manifest is missing": lambda root: blob(root, HURT.manifest.digest).unlink(),
    "a manifest is empty": lambda root: overwrite(blob(root, HURT.manifest.digest), b""),
    "a blob has the name of another": lambda root: blob(root, LAYER).rename(
        blob(root, Digest.of(b"another"))
    ),
    "a file is no blob": lambda root: (root / "blobs/sha256/README").write_text("hello"),
    "a blob is a link": lambda root: (root / "blobs/sha256" / ("0" * 64)).symlink_to("/etc/passwd"),
    "a blob is a folder": lambda root: (root / "blobs/sha256" / ("1" * 64)).mkdir(),
    "a blob may be read by others": lambda root: blob(root, LAYER).chmod(0o666),
    "a record is empty": lambda root: overwrite(first_record(root), b""),
    "a record is no JSON": lambda root: overwrite(first_record(root), b"{"),
    "a record stands under another name": lambda root: first_record(root).rename(
        root / "records" / ("n-" + "2" * 64)
    ),
    "a record is a link": lambda root: (root / "records" / ("n-" + "3" * 64)).symlink_to("/x"),
    "the database is zeroed": lambda root: overwrite(
        root / "index.sqlite", bytes((root / "index.sqlite").stat().st_size)
    ),
    "a record is a folder": lambda root: (root / "records" / ("n-" + "3" * 64)).mkdir(),
    "the record of a named image is missing": lambda root: record_of(root, HURT).unlink(),
    "an image is recorded with another's manifest": lambda root: overwrite(
        record_of(root, HURT),
        Record("", str(HURT.config.id), str(KEPT.manifest.digest)).to_json(),
    ),
    "a lock is a link": lambda root: replaced(root / "store.lock").symlink_to("/etc/passwd"),
    "a folder is missing": lambda root: (root / "ingest").rmdir(),
    "a guard is a link": lambda root: (root / "guards" / "x.lock").symlink_to("/etc/passwd"),
    "a lease is a folder": lambda root: (root / "leases" / "x").mkdir(),
    "a run is a file": lambda root: (root / "runs" / "x").write_bytes(b""),
    "a name has no row": lambda root: sql(root, "DELETE FROM name"),
    "a row has no name": lambda root: sql(
        root,
        "INSERT INTO name SELECT scope, registry, repository, 'no', '', image, manifest, ''"
        " FROM name LIMIT 1",
    ),
    "a row stands for another image": lambda root: sql(
        root, "UPDATE image SET manifest = (SELECT min(digest) FROM manifest)"
    ),
    "a row of what a manifest has is wrong": lambda root: sql(root, "UPDATE edge SET size = 1"),
    "a row of what a config says is wrong": lambda root: sql(root, "UPDATE kind SET os = 'x'"),
    "what is said of a layer cannot be": lambda root: sql(
        root, "INSERT INTO layer VALUES ('sha256:x', 'y', -1, -1)"
    ),
    "a table is missing": lambda root: sql(root, "DROP TABLE edge"),
    "the database is text": lambda root: overwrite(root / "index.sqlite", b"hello " * 2000),
    "the database is cut": lambda root: os.truncate(root / "index.sqlite", 5000),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_is_found_and_repaired_and_the_rest_is_kept(filled: Path, damage: str) -> None:
    """S22."""
    DAMAGES[damage](filled)
    with Store.open(filled) as store:
        assert not store.fsck().clean
        store.fsck(repair=True)
        assert store.fsck().clean, store.fsck().problems
    with Store.open(filled) as store:
        assert store.image(Selector.parse("kept:1")).id == KEPT.config.id
        assert all(store.read(digest) == content for digest, content in KEPT.blobs.items())


def test_a_lock_file_that_is_missing_is_named_and_made_again_by_a_repair(filled: Path) -> None:
    (filled / "collect.lock").unlink()
    with Store.open(filled) as store:
        with pytest.raises(StoreDamaged, match=r"collect\.lock"):
            HURT.put(store, "hurt:2")
        [problem] = store.fsck().problems
        assert (problem.kind, problem.path) == ("lock-missing", str(filled / "collect.lock"))
        store.fsck(repair=True)
        assert store.fsck().clean


def test_a_store_without_damage_is_clean(filled: Path) -> None:
    with Store.open(filled) as store:
        assert store.fsck().clean


def test_the_database_can_be_made_anew_from_names_and_blobs(filled: Path) -> None:
    (filled / "index.sqlite").unlink()
    with Store.open(filled) as store:
        store.fsck(rebuild=True)
        assert store.image(Selector.parse("kept:1")).id == KEPT.config.id
        assert store.image(Selector.parse("hurt:1")).id == HURT.config.id
        assert store.fsck().clean


def test_a_lost_database_is_made_anew_without_being_told(filled: Path) -> None:
    (filled / "index.sqlite").unlink()
    with Store.open(filled) as store:
        assert {str(tag.familiar) for i in store.images() for tag in i.tags} == {"kept:1", "hurt:1"}


def test_a_newer_store_is_refused_and_left_unchanged(filled: Path) -> None:
    overwrite(filled / "format", b"999\n")
    before = {path: path.stat().st_mtime_ns for path in filled.rglob("*")}
    with pytest.raises(StoreTooNew):
        Store.open(filled)
    assert {path: path.stat().st_mtime_ns for path in filled.rglob("*")} == before


@pytest.mark.parametrize("at", range(0, 50_000, 2477))
def test_a_flipped_byte_of_the_database_is_mended_or_harmless(filled: Path, at: int) -> None:
    """S18."""
    content = bytearray((filled / "index.sqlite").read_bytes())
    content[at % len(content)] ^= 0xFF
    overwrite(filled / "index.sqlite", bytes(content))
    with Store.open(filled) as store:
        store.fsck(repair=True)
        assert store.fsck().clean
        assert {str(tag.familiar) for i in store.images() for tag in i.tags} == {"kept:1", "hurt:1"}


@pytest.mark.parametrize(
    "journal", [b"", b"garbage" * 1000, b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" * 99]
)
def test_a_foreign_journal_is_no_harm(filled: Path, journal: bytes) -> None:
    """S18."""
    overwrite(filled / "index.sqlite-journal", journal) if (
        filled / "index.sqlite-journal"
    ).exists() else (filled / "index.sqlite-journal").write_bytes(journal)
    with Store.open(filled) as store:
        assert {str(tag.familiar) for i in store.images() for tag in i.tags} == {"kept:1", "hurt:1"}
        store.fsck(repair=True)
        assert store.fsck().clean


def test_a_record_that_lost_its_image_is_recorded_again_from_the_name(filled: Path) -> None:
    record_of(filled, HURT).unlink()
    with Store.open(filled) as store:
        [problem] = [p for p in store.fsck().problems if p.kind == "name-dangling"]
        assert "hurt:1" in problem.detail
        store.fsck(repair=True)
        assert store.image(Selector.parse("hurt:1")).id == HURT.config.id


def test_a_repair_takes_only_the_image_that_is_not_whole(filled: Path) -> None:
    flip(blob(filled, LAYER))
    with Store.open(filled) as store:
        kinds = {problem.kind for problem in store.fsck().problems}
        assert kinds == {"blob-corrupt", "blob-missing"}
        store.fsck(repair=True)
        assert {str(tag.familiar) for i in store.images() for tag in i.tags} == {"kept:1"}
        assert store.has(HURT.config.id), "a whole blob stays, as cache"
        HURT.put(store, "hurt:1")
        assert store.fsck().clean


def test_a_newer_schema_is_refused_unchanged(filled: Path) -> None:
    """S24."""
    sql(filled, "PRAGMA user_version=99")
    before = (filled / "index.sqlite").read_bytes()
    with Store.open(filled) as store:
        for ask in (store.images, lambda: HURT.put(store, "x:1")):
            with pytest.raises(StoreTooNew, match="99"):
                ask()
    assert (filled / "index.sqlite").read_bytes() == before
