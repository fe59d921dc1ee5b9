"""Bytes on their way in: written to a file of their own, hashed on the way, then named.

A file in ``ingest/`` is locked by its writer while it lives; one whose lock is free was left
by a process that died. Nothing here is visible as a blob before `Ingest.commit`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from pytest_images.content import locks
from pytest_images.content.durability import Durability
from pytest_images.content.failures import store_error, translated
from pytest_images.content.following import Follower
from pytest_images.errors import DigestMismatch, ImagesError, SizeMismatch
from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from types import TracebackType

    from pytest_images.content.blobs import Blobs
    from pytest_images.content.home import Home

FOLLOW_FROM = 1 << 20  # bytes: below, hashing inline beats starting a thread
_FIRST, _STRETCH = 1 << 20, 8 << 20  # bytes whose way to the disk is begun at once: least, most


class Ingest:
    """One blob being written; a context manager that drops the file unless committed.

    Made by `Store.ingest`. ``offset`` is the number of bytes placed so far.
    """

    def __init__(
        self,
        home: Home,
        blobs: Blobs,
        durability: Durability,
        *,
        expected: Digest | None,
        size: int | None,
        source: str,
        algorithm: str,
    ) -> None:
        self.offset = 0
        self._blobs, self._durability = blobs, durability
        self._expected, self._size = expected, size
        self._source = source or "content"
        self._inline = self._starts_inline = size is None or size < FOLLOW_FROM
        self._held: locks.Held | None = None
        self._path = home.ingest / os.urandom(8).hex()
        with translated(self._path):
            held = locks.create(self._path)
        self._held, self._descriptor = held, held.descriptor
        self._way = _Way(durability, held.descriptor)
        algorithm = expected.algorithm if expected else algorithm
        self._follower = Follower(held.descriptor, algorithm, size)

    def write(self, data: bytes | memoryview) -> None:
        """Append *data*. Raises SizeMismatch beyond the stated size, StoreFull, StoreError."""
        count = data.nbytes if isinstance(data, memoryview) else len(data)
        self._refuse_excess(count)
        try:
            written = os.write(self._descriptor, data)
            while written < count:
                written += os.write(self._descriptor, memoryview(data).cast("B")[written:])
            self.offset += count
            self._way.reach(self.offset)
        except OSError as error:
            raise store_error(self._path, error) from error
        if self._inline:
            self._follower.update(data, count)
            self._inline = self.offset < FOLLOW_FROM
        else:
            # A view is of a buffer that its owner fills again; bytes stay as they are.
            self._follower.advance(self.offset, data if isinstance(data, bytes) else b"")

    def fileno(self) -> int:
        """Return the file's descriptor, positioned at ``offset``, for splice or sendfile."""
        return self._descriptor

    def advance(self, count: int) -> None:
        """Say that *count* bytes were placed at ``offset`` through `fileno`."""
        self._refuse_excess(count)
        self.offset += count
        self._inline = False
        if self.offset >= FOLLOW_FROM:  # who waits for the network has no time for the disk
            self._follower.advance(self.offset, hashed=self._way.reach)

    def restart(self) -> None:
        """Forget what was written, back to offset 0."""
        self._follower.restart()
        with translated(self._path):
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._way = _Way(self._durability, self._descriptor)
        self.offset, self._inline = 0, self._starts_inline

    def digest(self) -> Digest:
        """Return the digest of what was placed so far; waits until all of it is hashed."""
        with translated(self._path):
            return self._follower.digest(self.offset)

    def flush(self) -> None:
        """Bring what was placed to the disk already, for instance while other bytes arrive.

        `commit` flushes too, and then has little left to wait for. Raises StoreFull, StoreError.
        """
        with translated(self._path):
            self._durability.flush(self._descriptor)

    def commit(self) -> Digest:
        """Verify size and digest, then give the file its name among the blobs.

        The bytes are on the disk then; the name is with the next record (`Store.add`), which
        flushes the folder once for all its blobs. Raises SizeMismatch, DigestMismatch,
        StoreFull, StoreError; the file is dropped then.
        """
        try:
            return self._commit()
        except OSError as error:
            if isinstance(error, ImagesError):
                raise
            raise store_error(self._path, error) from error
        finally:
            self.close()

    def _commit(self) -> Digest:
        if self._size is not None and self.offset != self._size:
            raise SizeMismatch(self._size, self.offset, self._source)
        self._durability.flush(self._descriptor)  # while the rest is hashed
        actual = self._follower.digest(self.offset)
        if self._expected is not None and actual != self._expected:
            raise DigestMismatch(str(self._expected), str(actual), self._source)
        # Also where the blob is there already: these bytes were verified just now, those were not.
        self._path.rename(self._blobs.name(actual))
        self._blobs.count(actual)
        return actual

    def close(self) -> None:
        """Drop what was not committed. Safe when called twice."""
        held, self._held = self._held, None
        if held is None or held.descriptor < 0:  # closed, or the copy of a forked child
            return
        self._follower.stop()
        with suppress(OSError):  # committed, or to be swept later: the lock is free then
            self._path.unlink(missing_ok=True)
        held.release()
        self._descriptor = -1

    def _refuse_excess(self, count: int) -> None:
        if self._size is not None and self.offset + count > self._size:
            raise SizeMismatch(self._size, self.offset + count, self._source)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_held", None) is not None:
            self.close()


class _Way:
    """Lets bytes be on their way to the disk while more arrive, so that `commit` waits less.

    It is told of bytes that were placed just now, which stay in memory for whoever hashes them,
    or of those that are hashed, which nobody reads again.
    """

    def __init__(self, durability: Durability, descriptor: int) -> None:
        self._durability, self._descriptor = durability, descriptor
        self._begun = 0

    def reach(self, placed: int) -> None:
        """Hear that the file's first *placed* bytes are there. Raises OSError."""
        stretch = min(max(_FIRST, self._begun // 4), _STRETCH)
        if placed - self._begun >= stretch:
            begun, self._begun = self._begun, placed
            self._durability.begin(self._descriptor, begun, placed - begun)


def sweep(home: Home) -> int:
    """Drop the files of writers that died; returns how many."""
    dropped = 0
    for path in list(home.ingest.iterdir()):
        with suppress(FileNotFoundError, ImagesError):  # gone meanwhile, or not a lock: fsck's
            held = locks.attempt(path)
            if held is not None:
                with held:
                    path.unlink(missing_ok=True)
                dropped += 1
    return dropped
