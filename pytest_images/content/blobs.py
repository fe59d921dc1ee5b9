"""Content by digest: one file a blob, seen only after its bytes were verified.

A file's modification time is the blob's last use; there is no row to go stale.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.content.failures import FULL, store_error
from pytest_images.errors import BlobNotFound, ImagesError, LimitExceeded, StoreDamaged
from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from pytest_images.content.home import Home

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
READ_LIMIT = 4 << 20  # bytes that `read` takes into memory unless told otherwise


class Blobs:
    """The files under ``blobs/``.

    ``commits`` counts, by algorithm, those that got their names here; ``flushed`` those of
    them whose names are on the disk.
    """

    def __init__(self, home: Home) -> None:
        self.commits: dict[str, int] = {}
        self.flushed: dict[str, int] = {}
        self._home = home
        self._folder = str(home.blobs)
        self._place = str(home.root)

    def name(self, digest: Digest) -> str:
        """Return the path of a blob, there or not, as text."""
        return f"{self._folder}/{digest.algorithm}/{digest.encoded}"

    def count(self, digest: Digest) -> None:
        """Count a blob that got its name."""
        self.commits[digest.algorithm] = self.commits.get(digest.algorithm, 0) + 1

    def path(self, digest: Digest) -> Path:
        """Return the path of a blob, there or not."""
        return Path(self.name(digest))

    def has(self, digest: Digest) -> bool:
        """Say whether the blob is there."""
        return self.find(digest) is not None

    def find(self, digest: Digest) -> int | None:
        """Return the size of a blob in bytes, None if it is not there."""
        try:
            info = os.lstat(self.name(digest))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise store_error(self.name(digest), error) from error
        return info.st_size if stat.S_ISREG(info.st_mode) else None

    def size(self, digest: Digest) -> int:
        """Return the size of a blob in bytes. Raises BlobNotFound."""
        size = self.find(digest)
        if size is None:
            raise BlobNotFound(str(digest), self._place)
        return size

    def open(self, digest: Digest) -> BinaryIO:
        """Open a blob for reading. Raises BlobNotFound, StoreDamaged (not a regular file)."""
        name = self.name(digest)
        try:
            descriptor = os.open(name, _READ)
        except FileNotFoundError:
            raise BlobNotFound(str(digest), self._place) from None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise _damaged(name, "it is not a regular file") from error
            raise store_error(name, error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _damaged(name, "it is not a regular file")
        return io.BufferedReader(_File(name, descriptor))

    def read(self, digest: Digest, limit: int = READ_LIMIT) -> bytes:
        """Return a whole blob, verified. Raises BlobNotFound, LimitExceeded, StoreDamaged."""
        try:
            with self.open(digest) as file:
                raw = file.read(limit + 1)
        except ImagesError:
            raise
        except OSError as error:
            raise store_error(self.name(digest), error) from error
        if len(raw) > limit:
            raise LimitExceeded(str(digest), "blob size in bytes", limit)
        actual = Digest.of(raw, digest.algorithm)
        if actual != digest:
            raise _damaged(self.name(digest), f"its content is {actual}")
        return raw

    def holds(self, digest: Digest, raw: bytes) -> bool:
        """Say whether the blob is there with exactly these bytes; marks it as used."""
        if self.find(digest) != len(raw):
            return False
        try:
            with self.open(digest) as file:
                same = file.read() == raw
        except (BlobNotFound, StoreDamaged, OSError):
            return False
        if same:
            self.touch(digest)
        return same

    def touch(self, digest: Digest) -> None:
        """Mark a blob as used now, if it is there and the store can be written."""
        with suppress(OSError):
            os.utime(self.name(digest))

    def hide(self, path: Path) -> Path:
        """Take the file or folder at *path* out of sight in one step; returns where it is now."""
        away = self._home.trash / os.urandom(8).hex()
        try:
            path.rename(away)
        except OSError as error:
            if error.errno not in FULL or path.is_dir():
                raise
            path.unlink()  # a full disk may have no room for the second name
        return away

    def discard(self, path: Path) -> None:
        """Take the file or folder at *path* out of sight in one step, then free it."""
        remove(self.hide(path))


class _File(io.FileIO):
    """A blob whose bytes the disk may not give: that is the store's error."""

    def __init__(self, path: str, descriptor: int) -> None:
        super().__init__(descriptor)
        self._path = path

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise store_error(self._path, error) from error

    def readall(self) -> bytes:
        try:
            return super().readall()
        except OSError as error:
            raise store_error(self._path, error) from error


def remove(path: Path) -> None:
    """Unlink a file, or a folder with all that is in it; nothing there is fine too."""
    if path.is_dir() and not path.is_symlink():
        import shutil

        shutil.rmtree(path, ignore_errors=True)  # what is left is in the trash, for the next
    else:
        path.unlink(missing_ok=True)


def _damaged(path: str, reason: str) -> StoreDamaged:
    error = StoreDamaged(path, reason)
    error.add_note("Run `pytest-images fsck --repair`, then pull or load the image again.")
    return error
