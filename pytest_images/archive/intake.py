"""Blobs on their way into the store: written and looked into in one pass, kept only at the end.

Nothing is committed before the whole archive was found good, so a refused one leaves the
store as it was. Only when very many large blobs are under way are the first ones committed
early, to spare descriptors; they are then unnamed content, which the store's budget clears.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Self

from pytest_images.content.durability import Durability
from pytest_images.content.facts import LayerFacts
from pytest_images.dataclass import dataclass, replace
from pytest_images.errors import DigestMismatch, ImagesError
from pytest_images.layer.measure import Survey, measure, survey
from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future, ThreadPoolExecutor

    from pytest_images.content.ingest import Ingest
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.layer.blocks import Readable

    Report = Callable[["Moving", int], None]

MEMORY_LIMIT = 64 << 10  # bytes of a blob that is kept in memory rather than in a file
_PENDING_LIMIT = 64  # files under way at once
_FLUSH_FROM = 4 << 20  # bytes: less is flushed at once
_PIECE = 1 << 18
_REPORT_EVERY = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class Moving:
    """A layer on its way: what it is called, and how many bytes there will be, -1 if unknown."""

    item: str
    total: int = -1


def unheard(moving: Moving, done: int) -> None:
    """Tell nobody."""


class Blob:
    """One blob, verified but not yet visible: in memory or in an ingest file."""

    __slots__ = (
        "_flushed",
        "_found",
        "_ingest",
        "_problem",
        "digest",
        "is_committed",
        "raw",
        "size",
    )

    def __init__(
        self,
        digest: Digest,
        size: int,
        found: Survey | ImagesError | None,
        *,
        raw: bytes | None = None,
        ingest: Ingest | None = None,
        flushed: Future[None] | None = None,
    ) -> None:
        self.digest, self.size, self.raw = digest, size, raw
        self._ingest, self._flushed = ingest, flushed
        self._found = found if isinstance(found, Survey) else None
        self._problem = found if isinstance(found, ImagesError) else None
        self.is_committed = False

    def as_layer(self, source: str, limit: int | None) -> Survey:
        """Return what the blob is as a layer. Raises InvalidLayer, LimitExceeded if it is none."""
        if self._problem is not None:
            raise self._problem
        if self._found is None:
            self._found = survey(io.BytesIO(self.raw or b""), source, limit)
        return self._found

    def commit(self, store: Store, lease: Lease) -> None:
        """Make the blob visible in *store*, held by *lease*. Safe twice."""
        if self.is_committed:
            return
        lease.hold(self.digest)
        if self._flushed is not None:
            self._flushed.result()  # raises what the disk said
        if self._ingest is not None:
            self._ingest.commit()
        else:
            store.put(self.raw or b"", self.digest)
        self.is_committed, self._ingest = True, None


class Intake(contextlib.ExitStack):
    """Takes blobs in; leaving it drops whatever was not committed.

    *limit* bounds what a layer may be unpacked, in bytes; *report* hears how far each layer is.
    """

    def __init__(self, store: Store, lease: Lease, limit: int, report: Report = unheard) -> None:
        super().__init__()
        self.store, self.lease, self.limit = store, lease, limit
        self._report = report
        self._pending: deque[Blob] = deque()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def keep(self, raw: bytes, expected: Digest | None, source: str) -> Blob:
        """Take a small blob that is in memory already. Raises DigestMismatch."""
        digest = Digest.of(raw, expected.algorithm if expected else "sha256")
        return Blob(_checked(digest, expected, source), len(raw), None, raw=raw)

    def take(self, stream: Readable, expected: Digest | None, source: str, moving: Moving) -> Blob:
        """Write *stream* to its end into an ingest, and look into it as a layer on the way.

        What is wrong with it as a layer is raised only when it is used as one, for it may be
        something else. Raises DigestMismatch when the bytes are not those of *expected*.
        """
        algorithm = expected.algorithm if expected else "sha256"
        ingest = self.enter_context(self.store.ingest(source=source, algorithm=algorithm))
        tee = _Tee(stream, ingest, partial(self._report, moving))
        found: Survey | ImagesError
        try:
            found = survey(tee, source, self.limit)
        except ImagesError as problem:
            if problem is tee.failure:
                raise
            found = problem
        while tee.read(_PIECE):
            pass
        digest = _checked(ingest.digest(), expected, source)
        self._report(replace(moving, total=ingest.offset), ingest.offset)
        flushed = self._flushing(ingest)
        blob = Blob(digest, ingest.offset, found, ingest=ingest, flushed=flushed)
        self._pending.append(blob)
        if len(self._pending) > _PENDING_LIMIT:
            self._pending.popleft().commit(self.store, self.lease)
        return blob

    def _flushing(self, ingest: Ingest) -> Future[None] | None:
        """Have a large file flushed while the next ones arrive, where it will be at the end."""
        if self.store.durability is not Durability.SAFE or ingest.offset < _FLUSH_FROM:
            return None
        from concurrent.futures import ThreadPoolExecutor  # 20 ms that small images do without

        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "image-flush")
            self.callback(self._pool.shutdown)
        flushed = self._pool.submit(ingest.flush)
        self.callback(_settle, flushed)  # before the file is closed
        return flushed

    def commit(self, blob: Blob) -> None:
        """Make *blob* visible."""
        blob.commit(self.store, self.lease)

    def commit_layer(self, blob: Blob, diff_id: Digest) -> None:
        """Make a layer visible and record what it is unpacked, which has *diff_id*."""
        found = blob.as_layer(str(blob.digest), self.limit)
        actual = found.diff_id or blob.digest
        if blob.raw is not None:  # too small to have been on its way for long
            self._report(Moving(str(blob.digest), blob.size), blob.size)
        self.commit(blob)
        if actual.algorithm != diff_id.algorithm:  # hashed as it came with another algorithm
            with self.store.open_blob(blob.digest) as layer:
                facts = measure(layer, str(blob.digest), self.limit, algorithm=diff_id.algorithm)
            actual = _checked(facts.diff_id, diff_id, str(blob.digest))
        self.store.add_layer(blob.digest, LayerFacts(actual, found.tar_size, found.content_size))

    def put(self, raw: bytes, digest: Digest) -> None:
        """Make a document visible."""
        self.lease.hold(digest)
        self.store.put(raw, digest)


def _settle(flushed: Future[None]) -> None:
    if not flushed.cancel():
        flushed.exception()  # waits; who commits the file hears of it


def _checked(digest: Digest, expected: Digest | None, source: str) -> Digest:
    if expected is not None and digest != expected:
        raise DigestMismatch(str(expected), str(digest), source)
    return digest


class _Tee:
    """Gives what it reads, and writes it into an ingest too."""

    def __init__(self, stream: Readable, ingest: Ingest, report: Callable[[int], None]) -> None:
        self._stream, self._ingest, self._report = stream, ingest, report
        self._next = 0.0  # when to report again
        self.failure: ImagesError | None = None

    def read(self, size: int) -> bytes:
        try:
            piece = self._stream.read(size)
            if piece:
                self._ingest.write(piece)
                self._tell()
        except ImagesError as error:
            # The archive or the store failed, not the layer: nobody may take it for that.
            self.failure = error
            raise
        return piece

    def _tell(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._report(self._ingest.offset)
            self._next = now + _REPORT_EVERY
