"""An OCI image layout as a folder: every file opened below it, following no link (row T22)."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.archive.intake import Moving
from pytest_images.archive.shelf import called, digest_of_path
from pytest_images.errors import InvalidArchive, LimitExceeded, shown
from pytest_images.model.documents import DOCUMENT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_images.archive.intake import Blob, Intake

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_FOLDER = _FLAGS | os.O_DIRECTORY
_FILE = _FLAGS | os.O_NONBLOCK  # a FIFO opens at once, and is then refused


class Folder:
    """The files of a layout folder, read where they are asked for."""

    is_whole = True

    def __init__(self, folder: Path, name: str, intake: Intake) -> None:
        self.name = name
        self._intake = intake
        self._blobs: dict[str, Blob] = {}
        try:
            # The folder itself may be reached through links: the caller named it.
            self._root = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        except OSError as error:
            raise InvalidArchive(name, f"it cannot be opened: {error.strerror}") from error
        intake.callback(os.close, self._root)

    def __contains__(self, path: str) -> bool:
        try:
            os.stat(path, dir_fd=self._root, follow_symlinks=False)
        except OSError:
            return False
        return True

    def document(self, path: str, limit: int = DOCUMENT_LIMIT) -> bytes:
        """Return a document, verified where its name is its digest."""
        if path in self._blobs and (raw := self._blobs[path].raw) is not None:
            return raw
        with self._open(path) as file:
            raw = file.read(limit + 1)
        if len(raw) > limit:
            raise LimitExceeded(f"{self.name}: {path}", "document size in bytes", limit)
        blob = self._intake.keep(raw, digest_of_path(path), f"{self.name}: {path}")
        self._blobs[path] = blob
        return raw

    def blob(self, path: str) -> Blob:
        """Return a blob; it is taken in at the first call."""
        if path not in self._blobs:
            with self._open(path) as file:
                source, moving = f"{self.name}: {path}", _moving(path, file)
                self._blobs[path] = self._intake.take(file, digest_of_path(path), source, moving)
        return self._blobs[path]

    @contextlib.contextmanager
    def _open(self, path: str) -> Iterator[BinaryIO]:
        """Open a regular file below the folder, one part of its path after the other."""
        *folders, base = path.split("/")
        with contextlib.ExitStack() as stack:
            above = self._root
            try:
                for part in folders:
                    above = os.open(part, _FOLDER, dir_fd=above)
                    stack.callback(os.close, above)
                descriptor = os.open(base, _FILE, dir_fd=above)
                stack.callback(os.close, descriptor)
            except OSError as error:
                reason = f"{shown(path)} cannot be opened as a file of it: {error.strerror}"
                raise InvalidArchive(self.name, reason) from error
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InvalidArchive(self.name, f"{shown(path)} is not a regular file")
            yield stack.enter_context(os.fdopen(descriptor, "rb", buffering=0, closefd=False))


def _moving(path: str, file: BinaryIO) -> Moving:
    return Moving(called(path), os.fstat(file.fileno()).st_size)
