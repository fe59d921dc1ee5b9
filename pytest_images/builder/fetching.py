"""What ADD fetches: a file at an address, held against its checksum, and how it is called."""

from __future__ import annotations

import hashlib
import io
import posixpath
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pytest_images.builder.siblings import Item
from pytest_images.errors import DigestMismatch, InvalidUsage, LimitExceeded, Unreachable
from pytest_images.http.download import Download
from pytest_images.layer.member import Kind
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from pytest_images.builder.siblings import Siblings
    from pytest_images.builder.trees import Tree

_PIECE = 1 << 20
_MODE = 0o600  # of what comes from an address (reference, "ADD")
_UNNAMED = "__unnamed__"  # where the address has no name, as BuildKit calls it
_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


class Fetched(NamedTuple):
    """What one source of ADD gave: a file called *name*, or with "" all of *tree*."""

    tree: Tree
    name: str


class FileTree:
    """One file of this machine, at the top; with the mode of what was downloaded."""

    has_owners = False

    def __init__(self, path: Path, mtime: int) -> None:
        self._path = path
        self._item = Item("file", Kind.FILE, _MODE, path.stat().st_size, mtime)

    def find(self, path: str) -> Item | None:
        """As `Tree` says."""
        return self._item if path == self._item.path else None

    def is_there(self, path: str) -> bool:
        """As `Tree` says."""
        return self.find(path) is not None

    def inside(self, path: str) -> Iterator[Item]:
        """As `Tree` says."""
        return self.below(path)

    def below(self, path: str) -> Iterator[Item]:
        """As `Tree` says."""
        return iter(() if path else (self._item,))

    def read(self, item: Item) -> None:
        """As `Tree` says: the kernel copies it, whatever its size."""

    def contents(self, group: Siblings, *, keeps: bool = False) -> list[bytes | None]:
        """As `Tree` says."""
        return [None] * len(group.names)

    def open(self, item: Item) -> BinaryIO:
        """As `Tree` says."""
        return io.FileIO(self._path, "rb")  # raw, for the kernel to copy from


def download(
    url: str,
    path: Path,
    limit: int,
    *,
    checksum: str = "",
    is_over: Callable[[], bool],
    offline: bool = False,
) -> Fetched:
    """Fetch *url* into the new file *path*: *limit* bytes at most.

    *checksum* is ``algorithm:hex``. *is_over* is asked whether nobody waits any more. Raises
    NotFound, Unreachable, TlsError, InvalidResponse, InvalidAddress, UnsafeAddress,
    LimitExceeded, DigestMismatch, InvalidUsage (no checksum), OSError.
    """
    algorithm, wanted = _checksum(checksum)
    found = hashlib.new(algorithm)
    size = 0
    with Download(url, offline=offline) as stream, path.open("xb") as out:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise LimitExceeded(stream.name, "size in bytes", limit)
            if is_over():
                raise Unreachable(stream.name, ["the build was ended"])
            found.update(piece)
            out.write(piece)
        name, modified = stream.name, stream.headers.get("Last-Modified", "")
    if wanted and found.hexdigest() != wanted:
        raise DigestMismatch(checksum, f"{algorithm}:{found.hexdigest()}", name)
    return Fetched(FileTree(path, _time(modified)), file_name(name))


def file_name(url: str) -> str:
    """Return what a file at *url* is called: never a path, never a folder.

    >>> file_name("https://example.test/a/b%20c.tar?x=1"), file_name("https://example.test/..")
    ('b c.tar', '__unnamed__')
    """
    path = unquote(url.partition("?")[0].partition("://")[2].partition("/")[2])
    name = posixpath.basename(path.rstrip("/"))
    return _UNNAMED if name in ("", ".", "..") or "\0" in name else name


def _checksum(text: str) -> tuple[str, str]:
    if not text:
        return "sha256", ""
    algorithm, _, wanted = text.partition(":")
    digits = set(wanted) <= set("0123456789abcdef")
    if len(wanted) != _LENGTHS.get(algorithm) or not digits:
        known = ", ".join(_LENGTHS)
        raise InvalidUsage(text, f"a checksum is ALGORITHM:HEX, the algorithm one of {known}")
    return algorithm, wanted


def _time(modified: str) -> int:
    try:
        return max(0, int(parsedate_to_datetime(modified).timestamp()))
    except (ValueError, TypeError, OverflowError):
        return 0
