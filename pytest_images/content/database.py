"""The SQLite file: schema, connections, and what its errors mean.

It is an index over the record files and the blobs: fast to ask, cheap to lose. The journal is
truncated and flushed (``TRUNCATE``, ``FULL``), which loses nothing at any power-cut point and
stays clear of the WAL-reset bug of SQLite before 3.51.3. Writers hold the store's lock.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.content import failures, locks
from pytest_images.content.durability import Durability
from pytest_images.errors import StoreDamaged, StoreError, StoreTooNew, StoreUnsafe

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = 3
_TABLES = """
CREATE TABLE scope (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE,
    sequence INTEGER NOT NULL, doubt TEXT NOT NULL DEFAULT '');
CREATE TABLE name (
    scope INTEGER NOT NULL, registry TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL,
    digest TEXT NOT NULL, image TEXT NOT NULL, manifest TEXT NOT NULL, source TEXT NOT NULL,
    PRIMARY KEY (scope, registry, repository, tag, digest)) WITHOUT ROWID;
CREATE INDEX name_image ON name (scope, image);
CREATE TABLE image (
    scope INTEGER NOT NULL, id TEXT NOT NULL, manifest TEXT NOT NULL, source TEXT NOT NULL,
    tagged TEXT NOT NULL,
    PRIMARY KEY (scope, id)) WITHOUT ROWID;
CREATE TABLE manifest (
    digest TEXT PRIMARY KEY, size INTEGER NOT NULL, image TEXT NOT NULL, content_size INTEGER,
    created INTEGER, kind INTEGER NOT NULL, labels TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE kind (
    id INTEGER PRIMARY KEY, media_type TEXT NOT NULL, os TEXT NOT NULL,
    architecture TEXT NOT NULL, variant TEXT NOT NULL,
    UNIQUE (media_type, os, architecture, variant));
CREATE TABLE edge (
    manifest TEXT NOT NULL, position INTEGER NOT NULL, blob TEXT NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (manifest, position)) WITHOUT ROWID;
CREATE INDEX edge_blob ON edge (blob);
CREATE TABLE layer (
    digest TEXT PRIMARY KEY, diff_id TEXT NOT NULL, tar_size INTEGER NOT NULL,
    content_size INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO scope (id, run, sequence) VALUES (0, '', 0);
"""
TABLES = frozenset({"scope", "name", "image", "manifest", "kind", "edge", "layer"})
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class IndexDamaged(Exception):
    """The database cannot be used and has to be made again from the files."""


def connect(
    path: Path, durability: Durability, timeout: float, *, create: bool
) -> sqlite3.Connection:
    """Open the database at *path*; SQLite waits up to *timeout* seconds for its own lock.

    *create* (under the store's lock) makes a missing one. Raises IndexDamaged (also for a
    missing one), StoreTooNew, StoreUnsafe, StoreError.
    """
    _accept_file(path, create=create)
    read_only = not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK)
    with translated(path):
        connection = sqlite3.connect(
            f"{_uri(path)}?mode={'ro' if read_only else 'rw'}",
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            prepare(connection, durability, path, create=create)
        except BaseException:
            connection.close()
            raise
    return connection


def _uri(path: Path) -> str:
    """Return what SQLite calls an absolute *path*; Python's own word for it imports urllib."""
    quoted = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file://{quoted}"


def in_memory() -> sqlite3.Connection:
    """Return an empty index in memory, for a store that cannot be written."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _make(connection)
    return connection


def prepare(
    connection: sqlite3.Connection, durability: Durability, path: Path, *, create: bool
) -> None:
    """Set the connection up; make the tables where *create* allows it."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA:
        newer = StoreTooNew(str(path), f"its schema is {version}, known here is {SCHEMA}")
        newer.add_note("Use a newer pytest-images, or another PYTEST_IMAGES_HOME.")
        raise newer
    connection.execute("PRAGMA journal_mode=TRUNCATE")
    level = "FULL" if durability is Durability.SAFE else "OFF"
    connection.execute(f"PRAGMA synchronous={level}")
    if version < SCHEMA:
        if not create or _tables(connection):  # older, or made by someone else: made again
            raise IndexDamaged(f"its schema is {version}, not {SCHEMA}")
        _make(connection)


def check(connection: sqlite3.Connection) -> None:
    """Read the whole database. Raises IndexDamaged for the first thing that is wrong in it."""
    for (finding,) in connection.execute("PRAGMA integrity_check(1)"):
        if finding != "ok":
            raise IndexDamaged(finding)
    tables = _tables(connection)
    if tables != TABLES:
        raise IndexDamaged(f"its tables are {', '.join(sorted(tables)) or 'missing'}")


def _tables(connection: sqlite3.Connection) -> set[str]:
    query = "SELECT name FROM sqlite_master WHERE type='table'"
    return {name for (name,) in connection.execute(query)}


def _make(connection: sqlite3.Connection) -> None:
    connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version={SCHEMA}; COMMIT;")


def _accept_file(path: Path, *, create: bool) -> None:
    """Refuse a link or another's file; make an empty file of ours where it is missing."""
    try:
        info = path.lstat()
    except FileNotFoundError:
        if not create:
            raise IndexDamaged("it is missing") from None
        with failures.translated(path):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(path, flags, 0o600))
        return
    if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid():
        raise StoreUnsafe(str(path), "the database is not a regular file of ours")


def drop(path: Path, journal: Path) -> None:
    """Take a database away. First the file, then its journal: alone a journal means nothing."""
    path.unlink(missing_ok=True)
    journal.unlink(missing_ok=True)


@contextmanager
def translated(path: Path, timeout: float = 0.0) -> Iterator[None]:
    """Turn SQLite's errors into ours; IndexDamaged is for the index to mend."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _meaning(path, error, timeout) from error
    except UnicodeDecodeError as error:  # in a name of the schema
        raise IndexDamaged(str(error)) from error


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Say whether SQLite met something that is not the database it should be."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    text = str(error)
    # Tables that are gone, and text that is none: what Python says itself has no code.
    return code in _DAMAGED or "no such" in text or "decode" in text


def _meaning(path: Path, error: sqlite3.DatabaseError, timeout: float) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if is_damage(error):
        return IndexDamaged(str(error))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return locks.timed_out(path, timeout)
    if code == sqlite3.SQLITE_FULL:
        return failures.store_full(path, str(error))
    if code == sqlite3.SQLITE_READONLY:
        return failures.store_read_only(path, str(error))
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return _cause(path) or StoreError(str(path), str(error))
    return StoreDamaged(str(path), str(error))


def _cause(path: Path) -> StoreError | None:
    """Ask the file system what SQLite did not say: whether it is full (quotas) or read-only."""
    probe = path.with_name("probe")
    try:
        probe.write_bytes(bytes(8192))
    except OSError as error:
        return failures.store_error(path, error)
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return None
