"""Names, tags and digests out of a request, parsed strictly before any path is made of them."""

from __future__ import annotations

import functools

from pytest_images.errors import InvalidDigest, InvalidReference
from pytest_images.model.digest import HEX_DIGITS, Digest
from pytest_images.model.reference import Reference
from pytest_images.regex import regex
from pytest_images.server.refusal import Refusal

_ANY_REGISTRY = "localhost"  # only the rest of the name is checked with it
_IDENTIFIER = regex("[0-9a-f]{32}")


@functools.lru_cache(1024)
def repository(text: str) -> str:
    """Return *text* if it is a repository's name, or refuse with NAME_INVALID."""
    try:
        return Reference(_ANY_REGISTRY, text).repository
    except InvalidReference as error:
        raise Refusal(400, "NAME_INVALID", f"invalid repository name: {error.reason}") from error


@functools.lru_cache(1024)
def is_tag(text: str) -> bool:
    """Say whether *text* follows the grammar of tags."""
    try:
        Reference(_ANY_REGISTRY, "any", text)
    except InvalidReference:
        return False
    return True


@functools.lru_cache(1024)
def digest(text: str) -> Digest:
    """Read a digest, or refuse with DIGEST_INVALID: it is never looked up, only parsed."""
    try:
        return Digest.parse(text)
    except InvalidDigest as error:
        raise Refusal(400, "DIGEST_INVALID", f"invalid digest: {error.reason}") from error


def algorithm(text: str | None) -> str:
    """Return the digest algorithm that a client asks for; sha256 when it asks for none."""
    if text is None:
        return "sha256"
    if text not in HEX_DIGITS:
        raise Refusal(400, "DIGEST_INVALID", "the digest algorithms are sha256 and sha512")
    return text


def upload_id(text: str) -> str:
    """Return *text* if we could have made it as the name of an upload, or refuse: unknown."""
    if not _IDENTIFIER.fullmatch(text):
        raise Refusal(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload")
    return text
