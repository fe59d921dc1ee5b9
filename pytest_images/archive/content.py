"""What the members of an archive hold: text, a blob as it is stored, or a layer unpacked."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from pytest_images.content.following import Follower
from pytest_images.dataclass import dataclass
from pytest_images.errors import InvalidLayer, LimitExceeded, StoreDamaged
from pytest_images.layer.compression import decompress
from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Self

    from pytest_images.archive.output import Output
    from pytest_images.content.store import Store
    from pytest_images.layer.blocks import Readable
    from pytest_images.model.descriptor import Descriptor

_SMALL = 1 << 20  # bytes below which one thread reads, hashes and writes
_PIECE = 1 << 18
_HANDED = 2 << 20  # bytes


class Content(Protocol):
    """What one member holds."""

    @property
    def size(self) -> int:
        """How many bytes it has."""
        ...

    def write(self, output: Output, store: Store) -> None:
        """Write exactly `size` bytes, or raise."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A document in memory."""

    raw: bytes

    @property
    def size(self) -> int:
        """Its length."""
        return len(self.raw)

    def write(self, output: Output, store: Store) -> None:
        """Write it."""
        output.write(self.raw)


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob of the store, byte for byte, verified on its way."""

    digest: Digest
    size: int

    @classmethod
    def of(cls, descriptor: Descriptor, store: Store) -> Self:
        """Look for the blob. Raises BlobNotFound, StoreDamaged (it has another size)."""
        size = store.size(descriptor.digest)
        if size != descriptor.size:
            raise damaged(store, descriptor.digest, f"it has {size} bytes, not {descriptor.size}")
        return cls(descriptor.digest, size)

    def write(self, output: Output, store: Store) -> None:
        """Let the kernel copy while a thread hashes. Raises BlobNotFound, StoreDamaged."""
        if self.size <= _SMALL:
            output.write(store.read(self.digest))
            return
        with store.open_blob(self.digest) as file:
            follower = Follower(file.fileno(), self.digest.algorithm)
            follower.advance(self.size)
            try:
                output.copy(file, self.size)
                actual = follower.digest(self.size)
            except EOFError as error:
                raise damaged(store, self.digest, f"it ends after {error} bytes") from error
            finally:
                follower.stop()
        if actual != self.digest:
            raise damaged(store, self.digest, f"its content is {actual}")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A layer without its compression: the tar whose digest is its diff ID."""

    blob: Blob
    diff_id: Digest
    size: int

    def write(self, output: Output, store: Store) -> None:
        """Inflate, hash and write. Raises BlobNotFound, StoreDamaged."""
        with store.open_blob(self.blob.digest) as file:
            try:
                plain = decompress(file, f"layer {self.blob.digest}", self.size)
                count, actual = _poured(plain, output, self.diff_id.algorithm)
            except (InvalidLayer, LimitExceeded) as error:
                raise damaged(store, self.blob.digest, str(error)) from error
        if count != self.size or actual != self.diff_id:
            found = f"unpacked it is {actual} of {count} bytes, not {self.diff_id}"
            raise damaged(store, self.blob.digest, found)


def damaged(store: Store, digest: Digest, reason: str) -> StoreDamaged:
    """Return the error of a blob that is not what its digest names."""
    error = StoreDamaged(str(store.path(digest)), reason)
    error.add_note("Run `pytest-images fsck --repair`, then pull or load the image again.")
    return error


def _poured(stream: Readable, output: Output, algorithm: str) -> tuple[int, Digest]:
    """Write all of *stream*; some pieces are hashed while the next are inflated and written."""
    from concurrent.futures import ThreadPoolExecutor  # 20 ms that most saves do without

    hashed = hashlib.new(algorithm)
    count = 0

    def update(pieces: list[bytes]) -> None:
        for piece in pieces:
            hashed.update(piece)

    with ThreadPoolExecutor(1, "image-hash") as pool:
        before: Future[None] | None = None
        while pieces := _some(stream):
            for piece in pieces:
                output.write(piece)
                count += len(piece)
            if before is not None:
                before.result()
            before = pool.submit(update, pieces)
    return count, Digest(algorithm, hashed.hexdigest())


def _some(stream: Readable) -> list[bytes]:
    """Return the next pieces: enough of them that handing them to a thread costs nothing."""
    pieces, size = [], 0
    while size < _HANDED and (piece := stream.read(_PIECE)):
        pieces.append(piece)
        size += len(piece)
    return pieces
