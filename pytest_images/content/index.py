"""The database kept in step with the record files: every read and every change goes here.

Reading takes no lock of ours: one transaction, and one look at the folders' stamps. A stamp
that differs means that a change is under way or was cut short; then the store's lock is
awaited and, if the stamp still differs, the files are read again. Where the store cannot be
written, they are read into memory instead.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from contextlib import contextmanager, suppress
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from pytest_images.content import database, locks, rows
from pytest_images.content import home as homes
from pytest_images.content.database import IndexDamaged
from pytest_images.content.failures import translated
from pytest_images.content.names import Record, Scope, file_of_image, file_of_name
from pytest_images.errors import LockTimeout, StoreDamaged, StoreError, StoreFull, StoreReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pytest_images.content.blobs import Blobs
    from pytest_images.content.durability import Durability
    from pytest_images.content.names import Change
    from pytest_images.model.reference import Reference

T = TypeVar("T")
_FORK_PATIENCE = 5.0  # seconds that a fork waits for another thread's change
GLOBAL = ""  # the run of the scope that is no run's

_indexes: weakref.WeakSet[Index] = weakref.WeakSet()
_abandoned: list[sqlite3.Connection] = []  # those of a parent process


def _after_fork() -> None:
    for index in list(_indexes):
        index.after_fork()


def _before_fork() -> None:
    for index in list(_indexes):
        index.before_fork()


def _after_fork_in_parent() -> None:
    for index in list(_indexes):
        index.after_fork_in_parent()


os.register_at_fork(
    before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork
)


class Distrust(Enum):
    """How much an index that seemed damaged is still believed.

    ``SOME``: it is read as a whole first, for another process may have made it again since,
    and what was learned about layers would be lost without need. ``ALL``: it is made again.
    """

    NONE, SOME, ALL = range(3)


class Index:
    """The records of a store as one process sees them: its runs' overlays over the global ones."""

    def __init__(
        self,
        home: homes.Home,
        blobs: Blobs,
        durability: Durability,
        runs: tuple[str, ...],
        timeout: float,
    ) -> None:
        self._home, self._blobs, self._durability = home, blobs, durability
        self.runs = (*runs, GLOBAL)
        self.run, self._timeout = self.runs[0], timeout
        self.refresh()
        _indexes.add(self)

    def refresh(self) -> None:
        """Start without a connection and without holding a lock."""
        self._mutex = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._depth = 0
        self._forking = False
        self._shadow: tuple[tuple[int, ...], sqlite3.Connection] | None = None

    def close(self) -> None:
        """Close the database."""
        with self._mutex:
            self._disconnect()
            shadow, self._shadow = self._shadow, None
            if shadow is not None:
                shadow[1].close()

    def folder(self, run: str) -> Scope:
        """Return the record files of a run (GLOBAL: of none)."""
        path = self._home.runs / run / "records" if run else self._home.records
        return Scope(path, self._durability)

    # asking

    def read(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        """Return what *ask* says, of one consistent state."""
        with self._thread(), translated(self._home.database):
            try:
                return self._insist(lambda distrust: self._ask(ask, distrust))
            finally:
                self._settle()  # once more: an interrupt may have hit the first

    def _insist(self, attempt: Callable[[Distrust], T]) -> T:
        """Try, and where the database proves to be damaged try again, trusting it less."""
        failure: IndexDamaged | None = None
        for distrust in Distrust:
            try:
                return attempt(distrust)
            except IndexDamaged as error:
                failure = error
        raise StoreDamaged(str(self._home.database), str(failure)) from failure

    def _ask(self, ask: Callable[[sqlite3.Connection], T], distrust: Distrust) -> T:
        with self._translated():
            try:
                return ask(self._view(distrust))
            finally:
                self._settle()

    def _settle(self) -> None:
        """End a transaction that is still open: it would keep others from changing anything."""
        if self._connection is not None:
            self._roll_back(self._connection)

    def _view(self, distrust: Distrust) -> sqlite3.Connection:
        if distrust is Distrust.NONE:
            with _suppressed_damage():
                connection = self._connect()
                connection.execute("BEGIN")
                if self._is_current(connection, self.runs):
                    return connection
                connection.execute("ROLLBACK")
        try:
            with translated(self._home.database), self.exclusive():
                connection = self._mended(self.runs, distrust)
                connection.execute("BEGIN")
                connection.execute("SELECT id FROM scope").fetchone()  # holds this state
                return connection
        except (StoreReadOnly, StoreFull):
            return self._in_memory()

    def _is_current(self, connection: sqlite3.Connection, runs: tuple[str, ...]) -> bool:
        recorded = dict(connection.execute("SELECT run, sequence FROM scope").fetchall())
        return all(self._stamp(run) == recorded.get(run, -1) for run in runs)

    def _stamp(self, run: str) -> int | None:
        folder = self.folder(run)
        try:
            return folder.stamp()
        except FileNotFoundError:
            reason = "the run has ended" if run else "the folder of the records is missing"
            damaged = StoreDamaged(str(folder.path), reason)
            damaged.add_note("Open the store again; if that fails, `pytest-images fsck --repair`.")
            raise damaged from None

    def _in_memory(self) -> sqlite3.Connection:
        """Read the files into a database in memory; kept while the folders stay as they are."""
        times = tuple(self.folder(run).path.stat().st_mtime_ns for run in self.runs)
        if self._shadow is None or self._shadow[0] != times:
            from pytest_images.content import rebuild

            connection = database.in_memory()
            for run in self.runs:
                rebuild.read_records(connection, self.folder(run), run, self._blobs)
            self._shadow = (times, connection)
        return self._shadow[1]

    # changing

    def write(self, change: Callable[[Writer], T], *, frees: bool = False) -> T:
        """Make one change: rows and record files, all or nothing, on the disk when it returns.

        *frees*: the change takes things away, so a full disk may spend the reserve on it.
        """
        with self._thread(), translated(self._home.database), self.exclusive():
            try:
                return self._insist(lambda distrust: self._write(change, distrust))
            except StoreFull:
                if not frees:
                    raise
            finally:
                self._settle()
            homes.spend_reserve(self._home)
            try:
                return self._insist(lambda distrust: self._write(change, distrust))
            finally:
                with suppress(OSError):  # still full: the next that `frees` does without
                    homes.keep_reserve(self._home)

    def _write(self, change: Callable[[Writer], T], distrust: Distrust) -> T:
        with self._translated():
            connection = self._mended(self.runs, distrust)
            writer: Writer | None = None
            try:
                connection.execute("BEGIN IMMEDIATE")
                writer = Writer(connection, self.folder(self.run), self.run)
                result = change(writer)
                writer.apply()
                connection.execute("COMMIT")
            except BaseException:
                if writer is not None:
                    writer.undo()
                self._roll_back(connection)
                raise
            writer.finish()
            return result

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:  # the next connection rolls back, from the journal
            self._disconnect()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the store's lock: nobody else changes records meanwhile. May be nested."""
        with self._thread():
            nested = self._depth > 0
            held = None if nested else locks.acquire(self._home.store_lock, self._timeout)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if held is not None:
                    held.release()

    def everywhere(self) -> tuple[str, ...]:
        """Return every scope there is: the global one and each run's."""
        runs = (path.name for path in self._home.runs.iterdir())
        return (GLOBAL, *sorted(run for run in runs if self.folder(run).path.is_dir()))

    def survey(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        """Return what *ask* says of all scopes, with the store's lock held."""
        with self._thread(), translated(self._home.database), self.exclusive():
            try:
                return self._insist(lambda distrust: self._survey(ask, distrust))
            finally:
                self._settle()

    def _survey(self, ask: Callable[[sqlite3.Connection], T], distrust: Distrust) -> T:
        with self._translated():
            connection = self._mended(self.everywhere(), distrust)
            self._drop_lost_scopes(connection)
            return ask(connection)

    def _mended(self, runs: tuple[str, ...], distrust: Distrust) -> sqlite3.Connection:
        """Return the database in step with the files of *runs*; made again where it has to be."""
        if distrust is Distrust.ALL:
            return self.make_again()
        if distrust is Distrust.NONE:
            with _suppressed_damage():
                connection = self._connect(create=True)
                self._reconcile(connection, runs)
                return connection
        self._disconnect()
        with _suppressed_damage():
            connection = self._connect(create=True)
            database.check(connection)
            self._reconcile(connection, runs)
            return connection
        return self.make_again()

    def make_again(self) -> sqlite3.Connection:
        """Under the store's lock: replace the database by one made from the files alone."""
        self._disconnect()
        database.drop(self._home.database, self._home.journal())
        self._durability.flush_folder(self._home.root)
        try:
            with self._translated():
                connection = self._connect(create=True)
                self._reconcile(connection, self.everywhere())
        except IndexDamaged as error:  # a new one, just made: the disk
            raise StoreError(str(self._home.database), f"it cannot be made: {error}") from error
        return connection

    def _reconcile(self, connection: sqlite3.Connection, runs: tuple[str, ...]) -> None:
        for run in runs:
            if not self._is_current(connection, (run,)):
                from pytest_images.content import rebuild

                rebuild.reconcile(connection, self.folder(run), run, self._blobs, self._durability)

    def finding(self) -> str:
        """Under the store's lock: say what is wrong inside the database, or nothing."""
        self._disconnect()
        try:
            database.check(self._connect(create=True))
        except IndexDamaged as error:
            return str(error)
        return ""

    def drop_run(self, run: str) -> list[Record]:
        """Take a run's overlay away; returns what was recorded in it."""
        with self._thread(), self.exclusive(), translated(self._home.runs):
            folder = self._home.runs / run
            if not folder.is_dir():
                return []
            records: list[Record] = []
            with suppress(FileNotFoundError):  # killed before it had a folder for records
                found = list(self.folder(run).read_all())
                records = [item for item in found if isinstance(item, Record)]
            self._blobs.discard(folder)  # first: it frees what the database may need to write
            with suppress(StoreFull):  # rows of a lost scope: the next survey drops them
                self.survey(lambda _: None)
            return records

    def _drop_lost_scopes(self, connection: sqlite3.Connection) -> None:
        """Drop the rows of runs that are gone."""
        present = set(self.everywhere())
        recorded = connection.execute("SELECT run, id FROM scope").fetchall()
        gone = [number for run, number in recorded if run not in present]
        if not gone:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for number in gone:
                rows.clear(connection, number)
                connection.execute("DELETE FROM scope WHERE id=?", (number,))
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise

    # connecting

    def _connect(self, *, create: bool = False) -> sqlite3.Connection:
        """Return the connection to the file that has the index's name now."""
        path = self._home.database
        if self._connection is not None:
            try:
                if os.lstat(path).st_ino == self._inode:
                    return self._connection
            except FileNotFoundError:
                pass  # taken away under us: made again from the files
            self._disconnect()
        connection = database.connect(path, self._durability, self._timeout, create=create)
        self._connection, self._inode = connection, os.lstat(path).st_ino
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):  # a journal that is left is the next connection's
                connection.close()

    @contextmanager
    def _thread(self) -> Iterator[None]:
        if not self._mutex.acquire(timeout=self._timeout):
            raise LockTimeout(str(self._home.database), "held by another thread of this process")
        try:
            yield
        finally:
            self._mutex.release()

    def _translated(self) -> AbstractContextManager[None]:
        return database.translated(self._home.database, self._timeout)

    def before_fork(self) -> None:
        """Let no thread be inside SQLite at the fork: the child would inherit its locks as held."""
        self._forking = self._mutex.acquire(timeout=_FORK_PATIENCE)

    def after_fork_in_parent(self) -> None:
        """Let the other threads go on."""
        if self._forking:
            self._forking = False
            self._mutex.release()

    def after_fork(self) -> None:
        """Leave the parent's connection alone: SQLite's may not even be closed in a child."""
        if self._connection is not None:
            _abandoned.append(self._connection)
        self.refresh()


@contextmanager
def _suppressed_damage() -> Iterator[None]:
    """Let the block end where the database is damaged; raise everything else."""
    try:
        yield
    except (IndexDamaged, UnicodeDecodeError):
        pass
    except sqlite3.DatabaseError as error:
        if not database.is_damage(error):
            raise


class Writer:
    """One change under way: rows at once, record files when it is applied."""

    def __init__(self, connection: sqlite3.Connection, folder: Scope, run: str) -> None:
        self.connection, self._folder = connection, folder
        row = connection.execute("SELECT id, sequence FROM scope WHERE run=?", (run,)).fetchone()
        self.scope: int = row[0]
        self._sequence: int = row[1] + 1
        self._puts: dict[str, Record] = {}
        self._drops: dict[str, None] = {}
        self._change: Change | None = None

    def put(self, record: Record) -> None:
        """Record a name or an image; one that is recorded just so already costs nothing."""
        if rows.has(self.connection, self.scope, record) and record.file not in self._drops:
            return
        rows.put(self.connection, self.scope, record)
        self._drops.pop(record.file, None)
        self._puts[record.file] = record

    def drop_name(self, reference: Reference) -> None:
        """Take away what a name stands for in this scope, where it has a record."""
        rows.drop_name(self.connection, self.scope, reference)
        self._drop(file_of_name(str(reference)))

    def drop_image(self, image: str) -> None:
        """Take away the record of an image in this scope, where it has one."""
        rows.drop_image(self.connection, self.scope, image)
        self._drop(file_of_image(image))

    def _drop(self, file: str) -> None:
        self._puts.pop(file, None)
        if (self._folder.path / file).exists():
            self._drops[file] = None

    def apply(self) -> None:
        """Exchange the record files; the database is about to commit."""
        if not self._puts and not self._drops:
            return
        self.connection.execute(
            "UPDATE scope SET sequence=? WHERE id=?", (self._sequence, self.scope)
        )
        self._change = self._folder.change(self._puts.values(), self._drops)
        self._change.apply()

    def undo(self) -> None:
        """Put the record files back, and say so: nobody has to read them again."""
        if self._change is not None and self._change.undo():
            with suppress(OSError):
                self._folder.set_stamp(self._sequence - 1)

    def finish(self) -> None:
        """Say that files and database agree again."""
        if self._change is not None:
            with suppress(OSError):  # then the next to come compares them and says it
                self._change.finish()
                self._folder.set_stamp(self._sequence)
