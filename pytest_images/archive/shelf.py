"""What an archive holds, by name: its documents and blobs, whichever way they came.

An archive is read in one pass, so all of it is taken in as it comes: small members into
memory, large ones into ingest files. A layout folder is read where it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pytest_images.archive.intake import MEMORY_LIMIT, Blob, Intake, Moving
from pytest_images.errors import InvalidArchive, LimitExceeded, shown
from pytest_images.layer import paths
from pytest_images.layer.header import Malformed
from pytest_images.layer.member import Kind, Member, readable
from pytest_images.layer.tar import Reader
from pytest_images.model.digest import HEX_DIGITS, Digest
from pytest_images.model.documents import DOCUMENT_LIMIT
from pytest_images.regex import regex

if TYPE_CHECKING:
    from pytest_images.layer.blocks import Readable

MEMBER_LIMIT = 1 << 16  # members of an archive: all their names are kept
LINK_LIMIT = 16
_MEMORY_BUDGET = 16 << 20  # bytes of small members kept in memory, all together
_TOP_DOCUMENTS = ("manifest.json", "index.json", "oci-layout")
_ID = regex("[0-9a-f]{64}")
_BLOB_PATH = regex(r"blobs/([a-z0-9]+)/([0-9a-f]+)")


class Shelf(Protocol):
    """The members of an archive or layout by their names, ``/`` between parts."""

    name: str
    is_whole: bool  # an archive without an end marker may have been cut between two members

    def __contains__(self, path: str) -> bool:
        """Say whether there is a member at *path*."""
        ...

    def document(self, path: str, limit: int = DOCUMENT_LIMIT) -> bytes:
        """Return the small document at *path*. Raises InvalidArchive, LimitExceeded."""
        ...

    def blob(self, path: str) -> Blob:
        """Return the blob at *path*, verified where its name is its digest."""
        ...


def blob_path(digest: Digest) -> str:
    """Return where a layout keeps the blob of *digest*."""
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def digest_of_path(path: str) -> Digest | None:
    """Return the digest that a blob's place in a layout states, None for any other place."""
    match = _BLOB_PATH.fullmatch(path)
    if match is None or HEX_DIGITS.get(match[1]) != len(match[2]):
        return None
    return Digest(match[1], match[2])


def called(path: str) -> str:
    """Return what the blob at *path* is called on its way: the digest that its path names.

    >>> called("blobs/sha256/" + "ab" * 32) == called("ab" * 32 + "/layer.tar")
    True
    """
    match = _ID.search(path)
    return f"sha256:{match[0]}" if match else path


class Passed:
    """The members of a tar archive after its one pass."""

    def __init__(self, stream: Readable, name: str, intake: Intake) -> None:
        self.name = name
        self._intake = intake
        self._blobs: dict[str, Blob] = {}
        self._links: dict[str, str] = {}
        self._others: dict[str, str] = {}
        self._budget = _MEMORY_BUDGET
        reader = Reader(stream, name, InvalidArchive, MEMBER_LIMIT)
        for member in reader:
            self._pass(member)
        self.is_whole = reader.has_end
        if not (self._blobs or self._links or self._others):
            raise self._invalid("it is empty")

    def __contains__(self, path: str) -> bool:
        return path in self._blobs or path in self._links

    def document(self, path: str, limit: int = DOCUMENT_LIMIT) -> bytes:
        """Return a document; one that went into a file is made visible to be read."""
        blob = self.blob(path)
        if blob.size > limit:
            raise LimitExceeded(f"{self.name}: {path}", "document size in bytes", limit)
        if blob.raw is None:
            self._intake.commit(blob)
            raw: bytes = self._intake.store.read(blob.digest, limit)
            return raw
        return blob.raw

    def blob(self, path: str) -> Blob:
        """Return a blob, through links inside the archive."""
        seen = [path]
        while (blob := self._blobs.get(path)) is None:
            if path in self._others:
                raise self._invalid(f"{shown(path)} is a {self._others[path]}, not a file")
            if path not in self._links:
                raise self._invalid(f"{shown(path)} is not in it")
            path = self._links[path]
            if path in seen or len(seen) > LINK_LIMIT:
                raise self._invalid(f"the links at {shown(seen[0])} lead to no file")
            seen.append(path)
        return blob

    def _pass(self, member: Member) -> None:
        """Take one member in, under its name as seen from the archive's root."""
        path = self._inside(member.name, member)
        is_again = path in self._blobs or path in self._links
        if is_again and path in _TOP_DOCUMENTS:
            raise self._invalid(f"{path} occurs twice")
        for kept in (self._blobs, self._links, self._others):
            kept.pop(path, None)
        if member.kind is Kind.FILE:
            self._blobs[path] = self._take(member, path)
        elif member.kind is Kind.HARDLINK:
            self._links[path] = self._inside(member.linkname, member)
        elif member.kind is Kind.SYMLINK:
            self._links[path] = self._target(member)
        else:
            self._others[path] = member.kind.value

    def _take(self, member: Member, path: str) -> Blob:
        """Keep a small member or a document in memory, send any other into a file."""
        source, expected = f"{self.name}: {path}", digest_of_path(path)
        start = _Started(member)
        is_document = member.size <= DOCUMENT_LIMIT and start.first in (b"{", b"[")
        if (member.size <= MEMORY_LIMIT or is_document) and member.size <= self._budget:
            self._budget -= member.size
            return self._intake.keep(start.rest(), expected, source)
        moving = Moving(called(path), member.size)
        return self._intake.take(start, expected, source, moving)

    def _target(self, member: Member) -> str:
        """Return where a symbolic link leads; an absolute one counts from the archive's root."""
        folder = b"" if member.linkname.startswith(b"/") else member.name.rpartition(b"/")[0]
        try:
            return self._inside(folder + b"/" + member.linkname, member)
        except InvalidArchive:
            return ""  # refused when something asks for it: other links may go where they like

    def _inside(self, name: bytes, member: Member) -> str:
        try:
            return readable(b"/".join(paths.inside(name)))
        except Malformed as error:
            raise self._invalid(f"{error} ({shown(member.text)})") from error

    def _invalid(self, reason: str) -> InvalidArchive:
        return InvalidArchive(self.name, reason)


class _Started:
    """A member's data of which the first bytes were looked at."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._start = member.read(min(member.size, MEMORY_LIMIT)) if member.size else b""

    @property
    def first(self) -> bytes:
        return self._start[:1]

    def read(self, size: int) -> bytes:
        if self._start:
            piece, self._start = self._start[:size], self._start[size:]
            return piece
        return self._member.read(size)

    def rest(self) -> bytes:
        pieces = []
        while piece := self.read(DOCUMENT_LIMIT):
            pieces.append(piece)
        return b"".join(pieces)
