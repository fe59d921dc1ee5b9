"""Where things are: blobs shared in storage, held by repositories, reached by tags.

::

    content/…                                    the store: every blob once, verified
    repositories/<name>/_blobs/<algorithm>/<hex>      a hard link: the repository has the blob
    repositories/<name>/_manifests/<algorithm>/<hex>  the same for a manifest
    repositories/<name>/_tags/<tag>                   a small file: the digest it stands for
    incoming/                                    files that are about to get a name
    lock                                         held by the server that serves the folder

A repository has content only by a link of its own, so nothing can be read, or be found to
exist, through another one. A blob whose store file has no second link is in no repository.
No part of a repository's name begins with ``_``, so the folders cannot collide.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.errors import DigestMismatch
from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.content.ingest import Ingest
    from pytest_images.content.store import Store

BLOBS, MANIFESTS, TAGS = "_blobs", "_manifests", "_tags"
_STRIPES = 32
# File systems without hard links, or with no more of them for this file: a copy is as good.
_NO_LINK = frozenset({errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV})
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_TAG_LENGTH = 256  # bytes read of a tag's file: more than any digest


class Shelf:
    """The folder of a registry. Thread-safe; one process at a time, which `Registry` sees to."""

    def __init__(self, root: Path, store: Store) -> None:
        self.store = store
        self.repositories = root / "repositories"
        self._base = str(self.repositories)
        self._incoming = root / "incoming"
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir()
        self.repositories.mkdir(exist_ok=True)
        self._folders = threading.Lock()  # held where folders of repositories come and go
        self._locks = tuple(threading.Lock() for _ in range(_STRIPES))

    # Content: blobs and manifests, told apart by the folder's name.

    def place(self, name: str, kind: str, digest: Digest) -> str:
        """Return the path of *digest* in the repository *name*, there or not."""
        return f"{self._base}/{name}/{kind}/{digest.algorithm}/{digest.encoded}"

    def open(self, name: str, kind: str, digest: Digest) -> int | None:
        """Open content of a repository; None when it has none such."""
        try:
            return os.open(self.place(name, kind, digest), _READ)
        except FileNotFoundError:
            return None

    def size(self, name: str, kind: str, digest: Digest) -> int | None:
        """Return the size in bytes of content of a repository; None when it has none such."""
        try:
            return Path(self.place(name, kind, digest)).lstat().st_size
        except FileNotFoundError:
            return None

    def has(self, name: str, kind: str, digest: Digest) -> bool:
        """Say whether the repository has it."""
        return os.access(self.place(name, kind, digest), os.F_OK)

    def keep(self, ingest: Ingest, digest: Digest, name: str, kind: str) -> None:
        """Commit *ingest* and give the repository its content.

        Raises DigestMismatch when it is not what *digest* says; nothing is kept then.
        """
        actual = ingest.digest()
        if actual != digest:
            raise DigestMismatch(str(digest), str(actual), "the upload")
        with self._lock(digest):
            # What is there already stays: a fresh file in its place would cost its room again.
            if not self.store.has(digest) or self.store.size(digest) != ingest.offset:
                ingest.commit()
            self._link(self.store.path(digest), self.place(name, kind, digest))

    def share(self, digest: Digest, source: str, target: str) -> bool:
        """Give the repository *target* a blob that *source* has; False: it has none such."""
        with self._lock(digest):
            if not self.has(source, BLOBS, digest):
                return False
            self._link(Path(self.place(source, BLOBS, digest)), self.place(target, BLOBS, digest))
        return True

    def drop(self, name: str, kind: str, digest: Digest) -> bool:
        """Take content from a repository; its bytes go with the last one that has it.

        Readers that have it open read on. Returns False when there was none such.
        """
        place = Path(self.place(name, kind, digest))
        with self._lock(digest):
            try:
                place.unlink()
            except FileNotFoundError:
                return False
            self._forget_unheld(digest)
        self._prune(place.parent)
        return True

    # Tags.

    def tagged(self, name: str, tag: str) -> str | None:
        """Return the digest that *tag* stands for, as text; None: no such tag."""
        try:
            descriptor = os.open(self._tag(name, tag), _READ)
        except FileNotFoundError:
            return None
        try:
            return os.read(descriptor, _TAG_LENGTH).decode("ascii")
        finally:
            os.close(descriptor)

    def tag(self, name: str, tag: str, digest: Digest) -> None:
        """Let *tag* stand for *digest* from now on: readers see the old or the new, no third."""
        fresh = self._incoming / secrets.token_hex(8)
        fresh.write_text(str(digest), "ascii")
        self._into(lambda: fresh.replace(self._tag(name, tag)), Path(self._tag(name, tag)))

    def untag(self, name: str, tag: str) -> bool:
        """Take a tag away; False: no such tag."""
        path = Path(self._tag(name, tag))
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        self._prune(path.parent)
        return True

    def tags(self, name: str) -> list[str]:
        """Return all tags of a repository, in ASCII order."""
        try:
            with os.scandir(f"{self._base}/{name}/{TAGS}") as entries:
                return sorted(tag_of(entry.name) for entry in entries)
        except FileNotFoundError:
            return []

    def is_repository(self, name: str) -> bool:
        """Say whether anything is in a repository of this name."""
        folder = self.repositories / name
        return any((folder / kind).is_dir() for kind in (MANIFESTS, BLOBS, TAGS))

    def digests(self, name: str, kind: str) -> list[Digest]:
        """Return all that a repository has of *kind*."""
        folders = _entries(self.repositories / name / kind)
        return [Digest(folder.name, file.name) for folder in folders for file in _entries(folder)]

    def clear(self, name: str) -> bool:
        """Take everything from a repository; False: nothing was there."""
        found = self.is_repository(name)
        for tag in self.tags(name):
            self.untag(name, tag)
        for kind in (MANIFESTS, BLOBS):
            for digest in self.digests(name, kind):
                self.drop(name, kind, digest)
        return found

    # How it is kept.

    def _lock(self, digest: Digest) -> threading.Lock:
        return self._locks[int(digest.encoded[:4], 16) % _STRIPES]

    def _tag(self, name: str, tag: str) -> str:
        return f"{self._base}/{name}/{TAGS}/{file_of(tag)}"

    def _link(self, source: Path, place: str) -> None:
        def link() -> None:
            try:
                os.link(source, place)
            except FileExistsError:
                return
            except OSError as error:
                if error.errno not in _NO_LINK:
                    raise
                fresh = self._incoming / secrets.token_hex(8)
                shutil.copyfile(source, fresh)
                fresh.replace(place)

        self._into(link, Path(place))

    def _forget_unheld(self, digest: Digest) -> None:
        path = self.store.path(digest)
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_nlink == 1:
                path.unlink()

    def _into(self, act: Callable[[], object], path: Path) -> None:
        """Do *act*, which puts something at *path*; folders above are made where missing."""
        try:
            act()
        except FileNotFoundError:
            with self._folders:  # so that no other thread prunes what was just made
                path.parent.mkdir(parents=True, exist_ok=True)
                act()

    def _prune(self, folder: Path) -> None:
        """Remove *folder* and those above it that are empty now, up to all repositories."""
        with self._folders:
            while folder != self.repositories:
                try:
                    folder.rmdir()
                except OSError:  # not empty, or gone already
                    return
                folder = folder.parent


def file_of(tag: str) -> str:
    """Return the file name of a tag: ``A`` and ``a`` differ on any file system.

    Lower case, then which letters are capitals; ``!`` occurs in no tag.
    """
    lower = tag.lower()
    if lower == tag:
        return tag
    capitals = sum(1 << at for at, letter in enumerate(tag) if letter.isupper())
    return f"{lower}!{capitals:x}"


def tag_of(file: str) -> str:
    """Return the tag that `file_of` made *file* of."""
    lower, mark, capitals = file.partition("!")
    if not mark:
        return file
    chosen = int(capitals, 16)
    return "".join(c.upper() if chosen >> at & 1 else c for at, c in enumerate(lower))


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
