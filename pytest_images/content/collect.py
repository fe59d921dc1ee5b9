"""Taking blobs away: only what no record, lease or newcomer can reach, and only in certainty.

What images left behind stays as a cache within a byte budget, least recently used first out.
A blob that was never part of a recorded image is spared for 24 hours unless something holds
it: it may belong to an operation that takes no lease. Whoever takes up a cached blob again
must hold it by a lease first, and ask afterwards whether it is there.
"""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_images.content import leases, locks, rows
from pytest_images.content.blobs import remove
from pytest_images.content.failures import translated
from pytest_images.errors import (
    BlobNotFound,
    InvalidConfiguration,
    InvalidDigest,
    InvalidDocument,
    LimitExceeded,
    StoreDamaged,
    StoreFull,
)
from pytest_images.model.digest import HEX_DIGITS, Digest
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set

    from pytest_images.content.blobs import Blobs
    from pytest_images.content.home import Home
    from pytest_images.content.index import Index

SETTING = "PYTEST_IMAGES_BUDGET"
BUDGET = 20 << 30  # bytes of cached blobs
GRACE = 24 * 3600.0  # seconds
_SKEW = 3600.0  # seconds that a time may lie ahead of the clock and still be believed


class Candidate(NamedTuple):
    """A blob on disk: when it was last used (nanoseconds), its size, its digest."""

    used: int
    size: int
    digest: str


def chosen_budget(budget: int | None) -> int:
    """Return *budget*, or what ``$PYTEST_IMAGES_BUDGET`` (bytes) says, or 20 GiB."""
    if budget is not None:
        return budget
    text = os.environ.get(SETTING)
    if not text:
        return BUDGET
    if not text.isascii() or not text.isdigit():
        raise InvalidConfiguration(SETTING, f'"{text}" is not a number of bytes')
    return int(text)


def on_disk(home: Home) -> Iterator[Candidate]:
    """Yield every blob file there is."""
    for algorithm in ("sha256", "sha512"):
        with os.scandir(home.blobs / algorithm) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # collected by somebody else meanwhile
                    info = entry.stat(follow_symlinks=False)
                    named = len(entry.name) == HEX_DIGITS[algorithm]  # other files: the check's
                    if named and stat.S_ISREG(info.st_mode):
                        digest = f"{algorithm}:{entry.name}"
                        yield Candidate(info.st_mtime_ns, info.st_size, digest)


class Collector:
    """Deletes blobs, under the collection lock that every newcomer shares."""

    def __init__(self, home: Home, blobs: Blobs, index: Index, timeout: float) -> None:
        self._home, self._blobs, self._index, self._timeout = home, blobs, index, timeout

    def evict(self, budget: int) -> list[Candidate]:
        """Delete cached blobs until they take at most *budget* bytes; returns those deleted."""
        with translated(self._home.blobs):
            reached = self.reached()
            cached = [blob for blob in on_disk(self._home) if blob.digest not in reached]
            excess = sum(blob.size for blob in cached) - budget
            if excess <= 0:
                return []
            return self._delete(sorted(cached), excess, known_only=False)

    def delete(self, digests: Iterable[str]) -> list[Candidate]:
        """Delete those of these blobs that nothing reaches any more; returns them."""
        with translated(self._home.blobs):
            return self._delete(list(self._stat(digests)), None, known_only=True)

    def delete_document(self, digest: str) -> int | None:
        """Delete a manifest or index and all it lists, though an index that lists it stays.

        What a record, a lease or another document of any index reaches stays. Returns the
        bytes freed; None: the document itself is so reached.
        """
        with translated(self._home.blobs), locks.acquire(self._home.collect_lock, self._timeout):
            reached, _ = self._mark({digest})
            if digest in reached:
                return None
            going = ({digest} | self._listed({digest})) - reached
            gone = [each for each in self._stat(going) if self._move_away(each, unless_used=False)]
            self._forget(gone)
        empty_trash(self._home)
        return sum(blob.size for blob in gone)

    def reached(self) -> set[str]:
        """Return every digest that a record of any scope, or a live lease, reaches.

        Raises StoreDamaged while a record cannot be read: what it reaches is not known.
        """
        return self._mark()[0]

    def contents(self) -> dict[str, set[str]]:
        """Return all that each image of any scope is made of, the platforms of its index too."""
        recorded = self._index.survey(rows.contents)
        sources = {source for _, found in recorded.values() for source in found}
        listed = {source: {source} | self._listed({source}) for source in sources}
        return {
            image: blobs.union(*(listed[source] for source in found))
            for image, (blobs, found) in recorded.items()
        }

    def _mark(self, unlisted: Set[str] = frozenset()) -> tuple[set[str], set[str]]:
        """What is reached, and what is or was part of a recorded image.

        Of the manifests *unlisted* it does not count that indexes list them.
        """
        doubts, reached, known, indexes = self._index.survey(
            lambda db: (rows.doubts(db), rows.reached(db), rows.known(db), rows.indexes(db))
        )
        if doubts:
            reason = f"nothing is deleted while a record is in doubt: {doubts[0]}"
            error = StoreDamaged(str(self._home.records), reason)
            error.add_note("Run `pytest-images fsck --repair`.")
            raise error
        listed = self._listed(indexes, unlisted)
        return reached | listed | leases.held(self._home), known

    def _listed(self, documents: set[str], unlisted: Set[str] = frozenset()) -> set[str]:
        """Return what indexes list and is here: the other platforms of a whole index.

        No row tells of them, so the documents are read; each once, however they nest.
        """
        from pytest_images.model.manifest import Index, parse_document

        found: set[str] = set()
        waiting = list(documents)
        while waiting:
            text = waiting.pop()
            # Of most indexes one platform is here, and no other; what is no document lists nothing.
            with suppress(BlobNotFound, InvalidDocument, LimitExceeded):
                document = parse_document(self._blobs.read(Digest.parse(text)), source=text)
                if isinstance(document, Index):
                    listed = {str(child.digest) for child in document.manifests} - unlisted
                    waiting += listed - found - documents
                else:
                    listed = {str(part.digest) for part in (document.config, *document.layers)}
                found |= listed
        return found

    def _delete(
        self, candidates: list[Candidate], enough: int | None, *, known_only: bool
    ) -> list[Candidate]:
        gone: list[Candidate] = []
        freed = 0
        # Nobody records, holds or takes up a blob between the mark and the last rename.
        with locks.acquire(self._home.collect_lock, self._timeout):
            reached, known = self._mark()
            for blob in candidates:
                if enough is not None and freed >= enough:
                    break
                if blob.digest in reached or (blob.digest not in known and self._is_young(blob)):
                    continue
                if self._move_away(blob, unless_used=not known_only):
                    gone.append(blob)
                    freed += blob.size
            try:
                self._forget(gone)  # before one of them can be recorded again
            except StoreFull:
                empty_trash(self._home)
                self._forget(gone)
        empty_trash(self._home)
        return gone

    def _is_young(self, blob: Candidate) -> bool:
        age = time.time() - blob.used / 1e9
        return -_SKEW < age < GRACE

    def _move_away(self, blob: Candidate, *, unless_used: bool) -> bool:
        """Take one blob out of sight, unless it was used since it was chosen."""
        path = self._blobs.path(Digest.parse(blob.digest))
        try:
            if unless_used and path.lstat().st_mtime_ns != blob.used:
                return False
            self._blobs.hide(path)
        except FileNotFoundError:
            return False
        return True

    def _forget(self, gone: list[Candidate]) -> None:
        if gone:
            digests = [blob.digest for blob in gone]
            self._index.write(
                lambda writer: rows.forget_manifests(writer.connection, digests), frees=True
            )

    def _stat(self, digests: Iterable[str]) -> Iterator[Candidate]:
        for text in digests:
            with suppress(FileNotFoundError, InvalidDigest):
                info = self._blobs.path(Digest.parse(text)).lstat()
                yield Candidate(info.st_mtime_ns, info.st_size, text)


def empty_trash(home: Home) -> None:
    """Free what was taken out of sight, by this process or by one that was killed."""
    for path in home.trash.iterdir():
        remove(path)
