"""Read the record files again: after a change that was cut short, or when the index is lost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_images.content import rows
from pytest_images.errors import ImagesError, StoreDamaged, StoreError

if TYPE_CHECKING:
    import sqlite3

    from pytest_images.content.blobs import Blobs
    from pytest_images.content.durability import Durability
    from pytest_images.content.names import Record, Scope


def reconcile(
    connection: sqlite3.Connection, scope: Scope, run: str, blobs: Blobs, durability: Durability
) -> None:
    """Under the store's lock: make a scope's rows what its files say, and stamp the folder."""
    scope.drop_leftovers()
    durability.flush_folder(scope.path)
    connection.execute("BEGIN IMMEDIATE")
    try:
        sequence = read_records(connection, scope, run, blobs)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    scope.set_stamp(sequence)


def read_records(connection: sqlite3.Connection, scope: Scope, run: str, blobs: Blobs) -> int:
    """Fill a scope's rows from its files; returns the scope's new sequence number.

    What is not what it must be is left out, and the scope is marked as doubtful: nothing is
    deleted from the store until a check has repaired it. Raises StoreError where the disk does
    not answer: that may pass, and must not be taken for an answer.
    """
    row = connection.execute("SELECT id, sequence FROM scope WHERE run=?", (run,)).fetchone()
    number = row[0] if row else _add_scope(connection, run)
    sequence: int = row[1] + 1 if row and row[1] else _any_sequence()
    rows.clear(connection, number)
    doubts = [
        doubt for item in scope.read_all() if (doubt := _read(connection, number, item, blobs))
    ]
    connection.execute(
        "UPDATE scope SET sequence=?, doubt=? WHERE id=?",
        (sequence, doubts[0] if doubts else "", number),
    )
    return sequence


def _any_sequence() -> int:
    """Return where a new index starts to count: anywhere, to meet no stamp of a former one."""
    return int.from_bytes(os.urandom(3), "big") + 1


def is_silence(error: ImagesError) -> bool:
    """Say whether *error* is the disk's, which may pass, and not about what was read."""
    return isinstance(error, StoreError) and not isinstance(error, StoreDamaged)


def _add_scope(connection: sqlite3.Connection, run: str) -> int:
    connection.execute("INSERT INTO scope (run, sequence) VALUES (?, 0)", (run,))
    number: int = connection.execute("SELECT id FROM scope WHERE run=?", (run,)).fetchone()[0]
    return number


def _read(
    connection: sqlite3.Connection, number: int, item: Record | StoreError, blobs: Blobs
) -> str:
    """Make the rows of one record; returns what is wrong with it, or nothing."""
    try:
        if isinstance(item, StoreError):
            raise item
        rows.put(connection, number, item)
        if not item.hides and not rows.knows(connection, item.manifest):
            learn(connection, item, blobs)
    except ImagesError as error:
        if is_silence(error):
            raise
        return str(error)
    return ""


def learn(connection: sqlite3.Connection, record: Record, blobs: Blobs) -> None:
    """Read a record's documents from the blobs. Raises what is wrong with them."""
    from pytest_images.model.config import Config
    from pytest_images.model.digest import Digest
    from pytest_images.model.manifest import Manifest

    manifest = Manifest.parse(blobs.read(Digest.parse(record.manifest)), source=record.manifest)
    config = Config.parse(blobs.read(manifest.config.digest), source=record.image)
    if str(config.id) != record.image:
        raise StoreDamaged(
            record.manifest, f"it is the manifest of {config.id}, not of {record.image}"
        )
    rows.learn(connection, manifest, config)
