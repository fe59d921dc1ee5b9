"""The records as small files, one folder a scope: the truth that the database is an index of.

A scope is the store's own (``records/``) or one run's overlay. In a scope's folder,
``n-<hash of the name>`` says what a name stands for and ``i-<image ID>`` that an image is
recorded; a record with nothing in it hides the one below it (a run took a global name away).

Files and database change together: the new files are written and flushed, renamed, the
folder is flushed, the database commits, and only then is the folder's modification time set
to the database's sequence number (`Scope.stamp`). Whoever finds another time there knows that
a change was cut short, by a kill or a power cut, and reads the files again.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_images.content.failures import store_error
from pytest_images.content.writing import write_whole
from pytest_images.errors import InvalidDigest, InvalidReference, StoreDamaged, StoreError
from pytest_images.model.digest import Digest
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_images.content.durability import Durability

RECORD_LIMIT = 64 << 10  # bytes of one record file
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class Record(NamedTuple):
    """One record: a name and what it stands for, or (without *name*) an image that is here.

    All digests as text; *manifest* is empty in a record that hides; *source* is the index the
    manifest was chosen from, empty where the image came without one. *tagged*, of an image, is
    when a name was last given to it here (RFC 3339), empty for never.
    """

    name: str
    image: str
    manifest: str
    source: str = ""
    tagged: str = ""

    @property
    def hides(self) -> bool:
        """Whether the record takes away what is recorded below it."""
        return not self.manifest

    @property
    def file(self) -> str:
        """The name of the record's file."""
        return file_of_name(self.name) if self.name else file_of_image(self.image)

    def to_json(self) -> bytes:
        """Return the content of the record's file."""
        import json

        return json.dumps({key: value for key, value in self._asdict().items() if value}).encode()


def file_of_name(name: str) -> str:
    """Return the file that says what the full *name* stands for."""
    return "n-" + Digest.of(name.encode()).encoded


def file_of_image(image: str) -> str:
    """Return the file that records the image *image* (its ID)."""
    return "i-" + image.partition(":")[2]


def parse(raw: bytes, path: Path) -> Record:
    """Read a record file. Raises StoreDamaged for anything that was not written by us."""
    import json

    from pytest_images.model.reference import Reference

    try:
        document: dict[str, Any] = json.loads(raw)
        record = Record(**{key: document.pop(key, "") for key in Record._fields})
        if document or not all(isinstance(value, str) for value in record):
            raise ValueError("unknown fields")
        for digest in filter(None, record[1:4]):
            Digest.parse(digest)
        if record.name and str(Reference.parse_bare(record.name)) != record.name:
            raise ValueError("the name is not written in full")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        reason = (
            str(error)
            if isinstance(error, InvalidDigest | InvalidReference)
            else "it is not a record"
        )
        raise StoreDamaged(str(path), reason) from error
    if record.file != path.name:
        raise StoreDamaged(str(path), "its content belongs under another file name")
    return record


class Scope:
    """The folder of one scope's record files."""

    def __init__(self, path: Path, durability: Durability) -> None:
        self.path, self._durability = path, durability

    def stamp(self) -> int | None:
        """Return the sequence number the folder carries; None when a change was cut short."""
        seconds, rest = divmod(self.path.stat().st_mtime_ns, 1_000_000_000)
        return None if rest else seconds

    def set_stamp(self, sequence: int) -> None:
        """Mark the folder as being what the database has at *sequence*.

        Whole seconds since 1970, few: no clock gives them, every file system can keep them.
        """
        os.utime(self.path, (sequence, sequence))

    def read(self, file: str) -> Record:
        """Read one record. Raises StoreDamaged, OSError."""
        path = self.path / file
        descriptor = os.open(path, _READ)
        with os.fdopen(descriptor, "rb") as stream:
            return parse(stream.read(RECORD_LIMIT), path)

    def read_all(self) -> Iterator[Record | StoreError]:
        """Read every record; for one that cannot be, its error. Leftovers are skipped.

        The error is StoreDamaged where the content says so, another StoreError where the disk
        does not answer: that may pass, and proves nothing about the record.
        """
        for file in sorted(path.name for path in self.path.iterdir()):
            if file.startswith("."):
                continue
            try:
                yield self.read(file)
            except StoreError as error:
                yield error
            except OSError as error:
                unsafe = error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO)
                damaged = StoreDamaged(str(self.path / file), "it is not a regular file")
                yield damaged if unsafe else store_error(self.path / file, error)

    def drop_leftovers(self) -> None:
        """Unlink what an interrupted change left: nobody else writes while the lock is held."""
        for path in list(self.path.iterdir()):
            if path.name.startswith("."):
                with suppress(IsADirectoryError):  # not ours
                    path.unlink()

    def change(self, puts: Iterable[Record], drops: Iterable[str]) -> Change:
        """Prepare a change: write the new files beside the old ones, and begin to flush them."""
        change = Change(self.path, self._durability)
        try:
            for record in puts:
                change.put(record)
            for file in drops:
                change.drop(file)
        except BaseException:
            change.undo()
            raise
        return change


class Change:
    """Record files about to be exchanged, all of them or (after `undo`) none."""

    def __init__(self, folder: Path, durability: Durability) -> None:
        self._folder, self._durability = folder, durability
        self._fresh: list[str] = []  # files to rename into place
        self._gone: list[str] = []  # files to move away
        self._replaced: list[str] = []  # those of them that stand in another's place
        self._kept: list[str] = []  # files that went, whose content lies beside them
        self._created: list[str] = []

    def put(self, record: Record) -> None:
        """Write a record's file under a name of its own; keep what it will replace."""
        file = record.file
        self._fresh.append(file)
        self._write(f".new-{file}", record.to_json())
        if (self._folder / file).exists():
            self._replaced.append(file)
            self._write(f".old-{file}", (self._folder / file).read_bytes())

    def drop(self, file: str) -> None:
        """Note a file to be taken away."""
        self._gone.append(file)

    def apply(self) -> None:
        """Flush the new files, exchange them for the old, and flush their folder."""
        for file in self._fresh:
            self._flush(self._folder / f".new-{file}")
        for file in self._fresh:
            (self._kept if file in self._replaced else self._created).append(file)
            (self._folder / f".new-{file}").rename(self._folder / file)
        for file in self._gone:
            self._kept.append(file)
            (self._folder / file).rename(self._folder / f".old-{file}")
        self._durability.flush_folder(self._folder)

    def undo(self) -> bool:
        """Put everything back as it was; says whether that went well.

        What cannot be put back is read again by the next to come.
        """
        moves = [(f".old-{file}", file) for file in self._kept]
        leftovers = [*self._created, *(f".new-{file}" for file in self._fresh)]
        # Perhaps half of it: what was not replaced yet is right where it is.
        leftovers += [f".old-{file}" for file in self._replaced if file not in self._kept]
        well = True
        for old, file in moves:
            try:
                (self._folder / old).rename(self._folder / file)
            except FileNotFoundError:  # it was not moved yet
                well = well and (self._folder / file).exists()
            except OSError:
                well = False
        for name in leftovers:
            try:
                (self._folder / name).unlink(missing_ok=True)
            except OSError:
                well = False
        return well

    def finish(self) -> None:
        """Drop what was replaced."""
        for file in self._kept:
            (self._folder / f".old-{file}").unlink(missing_ok=True)

    def _flush(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._durability.flush(descriptor)
        finally:
            os.close(descriptor)

    def _write(self, name: str, raw: bytes) -> None:
        path = self._folder / name
        try:
            descriptor = os.open(path, _CREATE, 0o600)
        except FileExistsError:  # left by an interrupted change
            path.unlink()
            descriptor = os.open(path, _CREATE, 0o600)
        try:
            write_whole(descriptor, raw)
            # All are begun before the first is awaited: one flush may then do for many.
            self._durability.begin(descriptor, 0, len(raw))
        finally:
            os.close(descriptor)
