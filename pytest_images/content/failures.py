"""What the system says when a file operation fails, as the store's own errors."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_images.errors import ImagesError, StoreError, StoreFull, StoreReadOnly

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def store_error(path: str | os.PathLike[str], error: OSError) -> StoreError:
    """Return the store's error for a failed operation on *path*."""
    reason = error.strerror or str(error)
    if error.errno in FULL:
        return store_full(path, reason)
    if error.errno in READ_ONLY:
        return store_read_only(path, reason)
    if error.errno == errno.EXDEV:
        apart = StoreError(str(path), "it lies on another file system than the rest of the store")
        apart.add_note("Mount what is to be elsewhere at the store's folder, not inside of it.")
        return apart
    return StoreError(str(path), reason)


def store_full(path: str | os.PathLike[str], reason: str) -> StoreFull:
    """Return the error of a used-up disk, with what to do about it."""
    full = StoreFull(str(path), reason)
    full.add_note("Free space (`pytest-images prune` evicts cached blobs) and try again.")
    return full


def store_read_only(path: str | os.PathLike[str], reason: str) -> StoreReadOnly:
    """Return the error of a store that cannot be written, with what to do about it."""
    read_only = StoreReadOnly(str(path), reason)
    read_only.add_note("Point PYTEST_IMAGES_HOME to a folder that can be written.")
    return read_only


@contextmanager
def translated(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn an OSError of the block into the store's own error about *path*."""
    try:
        yield
    except ImagesError:
        raise
    except OSError as error:
        raise store_error(path, error) from error
