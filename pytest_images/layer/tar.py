"""Members of a tar stream, read in one pass within limits: ustar, GNU, pax, sparse.

Gives the same members as GNU tar or refuses: checksums are verified, what readers are known
to understand differently is an error that names the member, and the stream is read to its
end. Nothing is ever created on disk here (rows T13 to T20).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pytest_images.errors import InvalidArchive, InvalidLayer, LimitExceeded, shown
from pytest_images.layer import header, pax, sparse
from pytest_images.layer.blocks import Blocks
from pytest_images.layer.header import (
    BLOCK,
    Malformed,
    mode_of,
    number,
    owner_of,
    size_of,
    text_of,
    user_of,
)
from pytest_images.layer.member import Kind, Member, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.layer.blocks import Readable

MEMBER_LIMIT = 1_000_000
NAME_LIMIT = 4096  # bytes of a path
COMPONENT_LIMIT = 255  # bytes between two slashes

_KINDS = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"7": Kind.FILE,
    b"S": Kind.FILE,
    b"1": Kind.HARDLINK,
    b"2": Kind.SYMLINK,
    b"3": Kind.CHARACTER,
    b"4": Kind.BLOCK,
    b"5": Kind.DIRECTORY,
    b"6": Kind.FIFO,
}
_EXTENSIONS = frozenset((b"x", b"X", b"g", b"L", b"K"))
_DEVICES = (Kind.CHARACTER, Kind.BLOCK)
_ZEROS = bytes(BLOCK)
_PREFIXED = b"ustar\0"  # POSIX; GNU's own magic ends in a space and has no prefix

Failure = type[InvalidLayer] | type[InvalidArchive]


def members(
    stream: Readable,
    source: str,
    *,
    failure: Failure = InvalidLayer,
    limit: int = MEMBER_LIMIT,
) -> Iterator[Member]:
    """Yield the members of the tar *stream*, at most *limit*; then read to the stream's end.

    A member's data is there until the next one is asked for. *source* names the stream in
    errors. Raises *failure* (InvalidLayer or InvalidArchive), LimitExceeded.
    """
    return iter(Reader(stream, source, failure, limit))


class _Extended:
    """What extension headers say of the member after them."""

    __slots__ = ("long_link", "long_name", "records")

    def __init__(self) -> None:
        self.long_name: bytes | None = None
        self.long_link: bytes | None = None
        self.records: pax.Records | None = None


class Reader:
    """One pass over a tar stream, as `members`; ``has_end`` tells how it ended.

    A stream that stops after a whole member is a tar that lacks its end marker, or one that
    was cut there: nothing in it tells which.
    """

    def __init__(self, stream: Readable, source: str, failure: Failure, limit: int) -> None:
        self.has_end = False
        self._blocks = Blocks(stream)
        self._source, self._failure, self._limit = source, failure, limit
        self._globals: pax.Records = {}
        self._left = 0  # bytes of the member's data not read yet
        self._padding = 0
        self._name = b""  # the member at hand, for errors

    def __iter__(self) -> Iterator[Member]:
        count = 0
        while True:
            try:
                member = self._next()
            except Malformed as error:
                self._refuse(str(error))
            if member is None:
                break
            count += 1
            if count > self._limit:
                raise LimitExceeded(self._source, "number of members", self._limit)
            yield member
            if not self._blocks.skip(self._left + self._padding):
                self._refuse("the archive ends inside of it")
        self._blocks.drain()

    def _next(self) -> Member | None:
        """Read headers up to a member's own; None at the end of the archive."""
        extended: _Extended | None = None
        self._left = self._padding = 0
        while True:
            block = self._blocks.block()
            if len(block) < BLOCK or block == _ZEROS:
                if extended is not None:
                    raise Malformed("the archive ends after an extension header")
                self._end(block)
                return None
            fields = header.unpack(block)
            self._name = fields[0]
            try:
                header.verify(block, fields[6])
            except Malformed as error:
                raise self._unverified(error) from None
            if fields[7] not in _EXTENSIONS:
                return self._member(block, fields, extended)
            extended = extended or _Extended()
            self._extend(extended, fields[7], size_of(fields[4]))

    def _unverified(self, error: Malformed) -> Malformed:
        """Say it of the whole stream where its first block is no header."""
        if self._blocks.offset > BLOCK:
            return error
        return Malformed(f"it is not a tar archive: {error}")

    def _end(self, block: bytes) -> None:
        """Accept the end: two blocks of zeros, one, or none; nothing but zeros in the second."""
        if 0 < len(block) < BLOCK:
            raise Malformed("the archive ends inside a header")
        if block and self._blocks.block().strip(b"\0"):
            raise Malformed("a header follows a single block of zeros")
        self.has_end = bool(block)

    def _extend(self, extended: _Extended, kind: bytes, size: int) -> None:
        """Read one extension header's data: bounded before it is read."""
        if size > pax.PAX_LIMIT:
            raise LimitExceeded(self._source, "size of an extension header", pax.PAX_LIMIT)
        padded = -(-size // BLOCK) * BLOCK
        data = self._blocks.take(padded)
        if len(data) < padded:
            raise Malformed("the archive ends inside an extension header")
        data = data[:size]
        if kind == b"L":
            extended.long_name = text_of(data)
        elif kind == b"K":
            extended.long_link = text_of(data)
        elif kind == b"g":
            records = pax.parse(data)
            pax.refuse_framing(records)
            self._globals = {**self._globals, **records}
        elif extended.records is not None:
            raise Malformed("two pax headers in a row")
        else:
            extended.records = pax.parse(data)

    def _member(
        self, block: bytes, fields: tuple[bytes, ...], extended: _Extended | None
    ) -> Member:
        """Make the member of its own header and what was said before it."""
        name, kind = text_of(fields[0]), _KINDS.get(fields[7])
        if fields[9] == _PREFIXED and fields[15][0]:
            name = text_of(fields[15]) + b"/" + name
        self._name = name
        if kind is None:
            raise Malformed(f"its type {fields[7]!r} is none that an image can have")
        link = fields[8]
        member = Member(
            name,
            kind,
            size_of(fields[4]),
            mode_of(fields[1]),
            owner_of(fields[2]),
            owner_of(fields[3]),
            number(fields[5]),
            text_of(link) if link[0] else b"",
            user_of(fields[11]),
            user_of(fields[12]),
            (number(fields[13]), number(fields[14])) if kind in _DEVICES else (0, 0),
        )
        if extended is not None or self._globals:
            self._apply(member, extended or _Extended())
        if len(member.name) > COMPONENT_LIMIT or len(member.linkname) > COMPONENT_LIMIT:
            self._check_lengths(member)
        self._place(member, block if fields[7] == b"S" else None)
        return member

    def _apply(self, member: Member, extended: _Extended) -> None:
        """Let long names and pax records replace what the member's own header says."""
        records = {**self._globals, **(extended.records or {})}
        member.records = records
        member.name = self._longer(member.name, extended.long_name, records.get(b"path"))
        member.linkname = self._longer(
            member.linkname, extended.long_link, records.get(b"linkpath")
        )
        self._name = member.name
        if b"size" in records:
            member.size = pax.decimal(records[b"size"], "size")
            if member.size and member.kind is not Kind.FILE:
                raise Malformed(f"a {member.kind.value} has a pax size")
        for key in (b"uid", b"gid"):
            if key in records:
                setattr(member, key.decode(), _owner(records[key]))
        member.mtime = pax.seconds(records[b"mtime"]) if b"mtime" in records else member.mtime
        member.user = records.get(b"uname", member.user)
        member.group = records.get(b"gname", member.group)

    def _longer(self, short: bytes, gnu: bytes | None, record: bytes | None) -> bytes:
        """Choose between a header's name, GNU's long one and pax's; two that differ are refused."""
        if gnu is not None and record is not None and gnu != record:
            raise Malformed("its GNU long name and its pax path differ")
        if record is not None:
            return record
        return gnu if gnu is not None else short

    def _check_lengths(self, member: Member) -> None:
        is_symlink = member.kind is Kind.SYMLINK  # may say anything, and then leads nowhere
        for name, is_text in ((member.name, False), (member.linkname, is_symlink)):
            if len(name) > NAME_LIMIT:
                what = f"length in bytes of the name {shown(readable(name[:60]))}…"
                raise LimitExceeded(self._source, what, NAME_LIMIT)
            if not is_text and any(len(part) > COMPONENT_LIMIT for part in name.split(b"/")):
                what = f"length in bytes of a part of the name {shown(readable(name[:60]))}…"
                raise LimitExceeded(self._source, what, COMPONENT_LIMIT)

    def _place(self, member: Member, old_sparse: bytes | None) -> None:
        """Decide how much data follows the header, and how it is read."""
        kind, size = member.kind, member.size
        if kind is not Kind.FILE:
            if size and kind is not Kind.HARDLINK:
                raise Malformed(f"a {kind.value} has a size")
            member.size = member.stored = 0
        elif member.name.endswith(b"/"):
            if size:
                raise Malformed("the name of a file ends in a slash")
            member.kind = Kind.DIRECTORY
        member.stored = self._left = member.size
        self._padding = -member.size % BLOCK
        member._read = self._read
        if old_sparse is not None or (member.records and sparse.is_sparse(member.records)):
            self._unfold(member, old_sparse)
        member.offset = self._blocks.offset

    def _unfold(self, member: Member, old: bytes | None) -> None:
        """Read the map of a file with holes and make its content read as it is."""
        records = member.records
        if member.kind is not Kind.FILE or (old is not None and sparse.is_sparse(records)):
            raise Malformed("it is sparse in two ways, or not a file")
        if old is not None:
            extents, size, _ = sparse.old_extents(old, self._whole_block)
        else:
            extents, size = self._pax_extents(member)
        sparse.check(extents, size, self._left)
        member.size, member.stored = size, self._left
        member._read = sparse.expanded(extents, size, self._read)

    def _pax_extents(self, member: Member) -> tuple[list[sparse.Extent], int]:
        records = member.records
        member.name = records.get(b"GNU.sparse.name", member.name)
        self._name = member.name
        version = records.get(b"GNU.sparse.major", b"0"), records.get(b"GNU.sparse.minor", b"")
        size = records.get(b"GNU.sparse.realsize", records.get(b"GNU.sparse.size"))
        if size is None:
            raise Malformed("it is sparse without a size")
        if version == (b"1", b"0"):
            extents, blocks = sparse.leading_extents(self._whole_block)
            self._left -= blocks * BLOCK
            if self._left < 0:
                raise Malformed("its sparse map is longer than its data")
        elif version[0] == b"0" and b"GNU.sparse.map" in records:
            extents = sparse.listed_extents(records[b"GNU.sparse.map"])
        else:
            raise Malformed("its sparse format is not known")
        return extents, pax.decimal(size, "sparse size")

    def _whole_block(self) -> bytes:
        block = self._blocks.block()
        if len(block) < BLOCK:
            raise Malformed("the archive ends inside its sparse map")
        return block

    def _read(self, size: int) -> bytes:
        """Return the next bytes of the member's stored data."""
        if not self._left:
            return b""
        piece = self._blocks.read(min(size, self._left))
        if not piece:
            self._refuse("the archive ends inside of it")
        self._left -= len(piece)
        return piece

    def _refuse(self, reason: str) -> NoReturn:
        where = shown(readable(text_of(self._name)[:80])) or "a member"
        raise self._failure(self._source, f"{reason} ({where}, byte {self._blocks.offset})")


def _owner(text: bytes) -> int:
    return header.checked_owner(pax.decimal(text, "owner"))
