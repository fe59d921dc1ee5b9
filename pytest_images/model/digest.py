"""The address of content: an algorithm and the hex of its hash (OCI image-spec, descriptor.md)."""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import TYPE_CHECKING, Self

from pytest_images.dataclass import dataclass
from pytest_images.errors import InvalidDigest

if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash

HEX_DIGITS = {"sha256": 64, "sha512": 128}
_HEX = frozenset("0123456789abcdef")  # ASCII alone: isdigit() takes digits of every script
SMALL = 16 << 10  # bytes; of more, OpenSSL is the faster even with its start
EXPECTED = "expected sha256: or sha512: and its lower-case hex"


@dataclass(frozen=True, slots=True)
class Digest:
    """The address of content: an algorithm and the hex of its hash.

    >>> str(Digest.of(b""))[:19]
    'sha256:e3b0c44298fc'
    """

    algorithm: str
    encoded: str

    def __post_init__(self) -> None:
        if len(self.encoded) != HEX_DIGITS.get(self.algorithm) or not _HEX.issuperset(self.encoded):
            raise InvalidDigest(str(self), EXPECTED)

    def __lt__(self, other: Self) -> bool:
        return (self.algorithm, self.encoded) < (other.algorithm, other.encoded)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``algorithm:hex``; raises InvalidDigest for anything else."""
        algorithm, _, encoded = text.partition(":")
        return cls(algorithm, encoded)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Self:
        """Compute the digest of *content*. Raises InvalidDigest for an unknown *algorithm*."""
        if algorithm not in HEX_DIGITS:
            raise InvalidDigest(f"{algorithm}:", EXPECTED)
        found = hasher(algorithm, len(content))
        found.update(content)
        return cls(algorithm, found.hexdigest())

    def hasher(self) -> _Hash:
        """Return a fresh hash object of this digest's algorithm."""
        return hasher(self.algorithm, None)

    @property
    def short(self) -> str:
        """The first 12 hex digits, as Docker shows an image ID."""
        return self.encoded[:12]

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.encoded}"


def sha256(content: bytes = b"") -> _Hash:
    """Return a SHA-256 of *content*, for few bytes to follow: OpenSSL's once it is loaded."""
    if len(content) <= SMALL and "_hashlib" not in sys.modules:
        return _own_sha256()(content)
    import hashlib

    return hashlib.sha256(content)


def hasher(algorithm: str, size: int | None) -> _Hash:
    """Return a fresh hash object for *size* bytes, None: nobody knows how many.

    For few, SHA-256 is the interpreter's own: OpenSSL's takes 3 ms to load.
    """
    if algorithm == "sha256" and size is not None and size <= SMALL:
        return _own_sha256()()
    import hashlib

    return hashlib.new(algorithm)


@functools.cache
def _own_sha256() -> Callable[..., _Hash]:
    import importlib

    for module in ("_sha2", "_sha256"):  # since Python 3.12; before
        with contextlib.suppress(ImportError):
            found: Callable[..., _Hash] = importlib.import_module(module).sha256
            return found
    import hashlib

    return hashlib.sha256
