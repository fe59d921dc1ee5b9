"""What a layer is unpacked: its diff ID and its sizes, found in one pass over its bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pytest_images.content.facts import LayerFacts
from pytest_images.errors import InvalidLayer, LimitExceeded, shown
from pytest_images.layer import paths
from pytest_images.layer.compression import Compression, decompress
from pytest_images.layer.header import Malformed
from pytest_images.layer.tar import members
from pytest_images.model.digest import Digest
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.layer.blocks import Readable
    from pytest_images.layer.member import Member


class Survey(NamedTuple):
    """What one pass over a layer found; sizes in bytes.

    ``diff_id`` is None where the stream is a plain tar: then it is the stream's own digest.
    ``content_size`` is Docker's: the sum of all regular files.
    """

    compression: Compression
    diff_id: Digest | None
    tar_size: int
    content_size: int


def measure(
    stream: Readable,
    source: str,
    limit: int | None = None,
    *,
    algorithm: str = "sha256",
    visit: Callable[[Member], None] = lambda member: None,
) -> LayerFacts:
    """Read the layer in *stream* to its end and say what it is unpacked.

    *limit* bounds the bytes that come out of the compression, and those of all files
    together, None does not. *visit* is called with each member. Raises InvalidLayer,
    LimitExceeded, naming *source*.
    """
    inflated = decompress(stream, source, limit)
    counted = _Counted(inflated, algorithm)
    content_size = _content_size(counted, source, limit, visit)
    return LayerFacts(counted.digest(algorithm), counted.size, content_size)


def survey(stream: Readable, source: str, limit: int | None = None) -> Survey:
    """As `measure`, but a plain tar is not hashed: whoever stores its bytes hashes them."""
    inflated = decompress(stream, source, limit)
    is_plain = inflated.compression is Compression.NONE
    counted = _Counted(inflated, None if is_plain else "sha256")
    content_size = _content_size(counted, source, limit)
    diff_id = None if is_plain else counted.digest("sha256")
    return Survey(inflated.compression, diff_id, counted.size, content_size)


def _content_size(
    stream: Readable,
    source: str,
    limit: int | None,
    visit: Callable[[Member], None] = lambda member: None,
) -> int:
    """Add up the sizes of all files, holes included, and check that each name has a place."""
    total = 0
    for member in members(stream, source):
        total += member.size
        if limit is not None and total > limit:
            raise LimitExceeded(source, f"unpacked size in bytes, with {shown(member.text)}", limit)
        try:
            paths.check(member)
            visit(member)
        except Malformed as error:
            raise InvalidLayer(source, f"{error} ({shown(member.text)})") from error
    return total


class _Counted:
    """A stream that counts, and hashes where an algorithm is given, what is read of it."""

    def __init__(self, stream: Readable, algorithm: str | None) -> None:
        self._stream = stream
        self._hash = hashlib.new(algorithm) if algorithm else None
        self.size = 0

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self.size += len(piece)
        if self._hash is not None:
            self._hash.update(piece)
        return piece

    def digest(self, algorithm: str) -> Digest:
        return Digest(algorithm, self._hash.hexdigest() if self._hash is not None else "")
