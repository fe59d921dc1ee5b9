"""Manifests and indexes: asked by tag or digest, believed by their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass
from pytest_images.errors import DigestMismatch, ImageNotFound, InvalidDigest, InvalidResponse
from pytest_images.http.session import Request
from pytest_images.model.descriptor import Descriptor
from pytest_images.model.digest import HEX_DIGITS, Digest
from pytest_images.model.manifest import Index, Manifest, parse_document
from pytest_images.model.media_types import ACCEPTED

if TYPE_CHECKING:
    from pytest_images.http.response import Response
    from pytest_images.registry.repository import Repository

_ACCEPT = {"Accept": ", ".join(ACCEPTED)}
_HEAD_UNKNOWN = frozenset({404, 405, 501})  # some registries and mirrors answer GET only


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a tag or digest stands for. *raw* is None where the store has the bytes already."""

    descriptor: Descriptor
    raw: bytes | None = None


def resolve(repository: Repository, tag: str, known: Digest | None) -> Resolution:
    """Say what *tag* stands for: a HEAD where the answer may be *known*, else one GET.

    Where the HEAD says anything but *known*, the GET alone decides: nothing of two answers
    is mixed. Raises ImageNotFound and what `document` raises.
    """
    if known is not None:
        described = head(repository, tag)
        if described is not None and described.digest == known:
            return Resolution(described)
    found = document(repository, tag)
    return Resolution(found.descriptor, found.raw)


def head(repository: Repository, name: str) -> Descriptor | None:
    """Ask what *name* (a tag or digest) stands for without its bytes.

    None where the registry does not say, which includes "not found": only a GET is believed.
    """
    address = repository.at(f"manifests/{name}")
    with repository.send(Request("HEAD", address, _ACCEPT)) as response:
        response.drain()
        if response.status != 200:
            if response.status in _HEAD_UNKNOWN:
                return None
            raise repository.refused(response)
        try:
            digest = Digest.parse(response.headers.get("Docker-Content-Digest", ""))
        except InvalidDigest:
            return None
        return Descriptor(response.headers.get("Content-Type", ""), digest, response.length or 0)


def exists(repository: Repository, digest: Digest) -> bool:
    """Whether the repository has the manifest of *digest*: a HEAD, a GET where it knows none."""
    address = repository.at(f"manifests/{digest}")
    with repository.send(Request("HEAD", address, _ACCEPT)) as response:
        response.drain()
        if response.status in (200, 404):
            return response.status == 200
        if response.status not in _HEAD_UNKNOWN:
            raise repository.refused(response)
    document(repository, digest)
    return True


def document(repository: Repository, name: str | Digest) -> Manifest | Index:
    """Get the manifest or index of a tag or digest, its bytes verified.

    Raises ImageNotFound, DigestMismatch, InvalidDocument, LimitExceeded, AuthError,
    RegistryError, InvalidResponse, Unreachable.
    """
    source = f"{repository}@{name}" if isinstance(name, Digest) else f"{repository}:{name}"
    with repository.send(Request("GET", repository.at(f"manifests/{name}"), _ACCEPT)) as response:
        if response.status != 200:
            raise repository.refused(response, ImageNotFound(source, repository.server.base))
        raw = response.read(repository.limits.document_body, "the manifest")
        if isinstance(name, Digest):
            _require(name, raw, source)
        check_stated_digest(response, raw, source)
        return parse_document(raw, response.headers.get("Content-Type", ""), source)


def check_stated_digest(response: Response, raw: bytes, source: str) -> None:
    """Compare ``Docker-Content-Digest``, where there is one, with what the bytes really are."""
    stated = response.headers.get("Docker-Content-Digest")
    if not stated:
        return
    if stated.partition(":")[0] not in HEX_DIGITS:
        return  # of an algorithm not known here: the digest computed here is what counts
    try:
        digest = Digest.parse(stated)
    except InvalidDigest as error:
        raise InvalidResponse(source, f"Docker-Content-Digest: {error.reason}") from None
    _require(digest, raw, source)


def _require(expected: Digest, raw: bytes, source: str) -> None:
    actual = Digest.of(raw, expected.algorithm)
    if actual != expected:
        raise DigestMismatch(str(expected), str(actual), source)
