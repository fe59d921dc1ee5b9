"""Compressed streams, told by their first bytes and inflated in this process.

Never by a media type or a file's name, and never by an external program: the allow-list is
gzip and zstd for layers; xz and bzip2 beside them for whole archives. Output is bounded by
a byte limit and memory by each codec's window, never by a ratio, for real layers reach
32,000:1 (rows D04, D05, D07).
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol

from pytest_images.errors import InvalidArchive, InvalidLayer, LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pytest_images.layer.blocks import Readable

    Failure = type[InvalidLayer] | type[InvalidArchive]

WINDOW_LIMIT = 128 << 20  # bytes of history that zstd and xz may ask us to keep
_INPUT = 1 << 16
_OUTPUT = 1 << 18
_MAGIC_LENGTH = 6


class Compression(enum.Enum):
    """How a stream is compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"


LAYERS = frozenset({Compression.NONE, Compression.GZIP, Compression.ZSTD})
ARCHIVES = frozenset(Compression)


def detect(start: bytes) -> Compression:
    """Tell the compression of a stream from its *start* (six bytes, fewer if it is shorter)."""
    if start.startswith(b"\x1f\x8b"):
        return Compression.GZIP
    # zstd's skippable frames are 0x184D2A50 to 0x184D2A5F, little endian.
    if start.startswith(b"\x28\xb5\x2f\xfd") or (
        start[1:4] == b"\x2a\x4d\x18" and start[0] >> 4 == 5
    ):
        return Compression.ZSTD
    if start.startswith(b"\xfd7zXZ\0"):
        return Compression.XZ
    if start.startswith(b"BZh"):
        return Compression.BZIP2
    return Compression.NONE


def is_skippable(start: bytes) -> bool:
    """Tell zstd's skippable frames: 0x184D2A50 to 0x184D2A5F, little endian."""
    return start[1:4] == b"\x2a\x4d\x18" and start[0] >> 4 == 5


def decompress(
    stream: Readable,
    source: str,
    limit: int | None = None,
    *,
    allowed: Collection[Compression] = LAYERS,
    failure: Failure = InvalidLayer,
) -> Inflated:
    """Return *stream* as it is without its compression, whichever of *allowed* that is.

    *limit* bounds the bytes that come out, None does not. Errors name *source* and are of
    type *failure* (InvalidLayer or InvalidArchive) or LimitExceeded; a stream that is cut,
    has a wrong checksum or ends in garbage is refused when that is reached.
    """
    rewound = Rewound(stream)
    compression = detect(rewound.peek(_MAGIC_LENGTH))
    if compression not in allowed:
        raise failure(source, f"{compression.value} is not a compression allowed here")
    return Inflated(rewound, compression, source, limit, failure)


class Rewound:
    """A stream whose first bytes were looked at and are given again."""

    def __init__(self, stream: Readable) -> None:
        self._stream, self._start = stream, b""

    def peek(self, size: int) -> bytes:
        """Return the first *size* bytes, fewer where the stream is shorter."""
        while len(self._start) < size and (piece := self._stream.read(size - len(self._start))):
            self._start += piece
        return self._start

    def read(self, size: int) -> bytes:
        """Return at most *size* bytes, ``b""`` at the end only."""
        if self._start:
            piece, self._start = self._start[:size], self._start[size:]
            return piece
        return self._stream.read(size)


class Codec(Protocol):
    """Something that inflates one stream a piece at a time."""

    def read(self, size: int) -> bytes:
        """Return at most about *size* bytes of output, ``b""`` at the end only."""
        ...


class Inflated:
    """What comes out of a compressed stream; counts it and stops at the limit."""

    def __init__(
        self,
        stream: Readable,
        compression: Compression,
        source: str,
        limit: int | None,
        failure: Failure,
    ) -> None:
        self.compression = compression
        self._codec, self._errors = _codec(compression, stream)
        self._source, self._limit, self._failure = source, limit, failure
        self._count = 0
        self._rest = b""

    def read(self, size: int = _OUTPUT) -> bytes:
        """Return at most *size* bytes, ``b""`` at the end only."""
        piece, self._rest = self._rest, b""
        if not piece:
            try:
                piece = self._codec.read(size)
            except self._errors as error:
                reason = f"broken {self.compression.value} stream: {error}"
                raise self._failure(self._source, reason) from error
            self._count += len(piece)
            if self._limit is not None and self._count > self._limit:
                raise LimitExceeded(self._source, "expanded size in bytes", self._limit)
        if len(piece) > size:
            piece, self._rest = piece[:size], piece[size:]
        return piece


class Broken(Exception):
    """What a codec of ours finds wrong with its input."""


def _codec(compression: Compression, stream: Readable) -> tuple[Codec, tuple[type[Exception], ...]]:
    """Return what inflates *stream*, and the errors that says its content is bad."""
    if compression is Compression.NONE:
        return stream, ()
    if compression is Compression.ZSTD:
        import zstandard

        from pytest_images.layer.zstd import Frames

        return Frames(stream, WINDOW_LIMIT), (Broken, zstandard.ZstdError)
    if compression is Compression.GZIP:
        make, errors = _gzip()
        return _Members(stream, make, b"\x1f\x8b"), (Broken, *errors)
    if compression is Compression.XZ:
        import lzma

        def make_xz() -> _Member:
            return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=WINDOW_LIMIT)

        return _Members(stream, make_xz, b"\xfd7zXZ\0"), (Broken, lzma.LZMAError, EOFError)
    import bz2

    return _Members(stream, bz2.BZ2Decompressor, b"BZh"), (Broken, OSError, EOFError)


class _Member(Protocol):
    """The interface that bz2, lzma and isal share for one member of a stream."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def _gzip() -> tuple[Callable[[], _Member], tuple[type[Exception], ...]]:
    """Return how to inflate a gzip member: by isal where it is installed, by zlib elsewhere."""
    try:
        from isal import igzip_lib
    except ImportError:
        import zlib

        return _ZlibMember, (zlib.error,)

    def make() -> _Member:
        member: _Member = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
        return member

    errors: tuple[type[Exception], ...] = (igzip_lib.error, EOFError)  # type: ignore[assignment] # its stub says instance
    return make, errors


class _ZlibMember:
    """One gzip member by zlib, with the interface of the others."""

    def __init__(self) -> None:
        import zlib

        self._inflate = zlib.decompressobj(wbits=31)  # 16 + 15: gzip's header and checksum

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        return not self._inflate.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)


class _Members:
    """A stream of one or more members; zeros may pad it, anything else after one is refused."""

    def __init__(self, stream: Readable, make: Callable[[], _Member], magic: bytes) -> None:
        self._stream, self._make, self._magic = stream, make, magic
        self._member: _Member | None = make()
        self._pending = b""

    def read(self, size: int) -> bytes:
        while self._member is not None:
            member = self._member
            if member.needs_input and not self._pending:
                self._pending = self._stream.read(_INPUT)
                if not self._pending:
                    raise Broken("it is cut")
            pending, self._pending = self._pending, b""
            piece = member.decompress(pending, size)
            if member.eof:
                self._next(member.unused_data)
            if piece:
                return piece
        return b""

    def _next(self, rest: bytes) -> None:
        """Start the member after one that ended, if there is any."""
        while not (rest := rest.lstrip(b"\0")):
            rest = self._stream.read(_INPUT)
            if not rest:
                self._member = None
                return
        while len(rest) < len(self._magic) and (more := self._stream.read(_INPUT)):
            rest += more
        if not rest.startswith(self._magic):
            raise Broken("something else follows its end")
        self._member, self._pending = self._make(), rest
