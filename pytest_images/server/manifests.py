"""Manifests and indexes by tag and by digest: the bytes as they came, checked before they stay."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_images.errors import InvalidDocument, LimitExceeded
from pytest_images.model import media_types
from pytest_images.model.digest import Digest
from pytest_images.server import names
from pytest_images.server.refusal import Refusal
from pytest_images.server.response import Response
from pytest_images.server.shelf import BLOBS, MANIFESTS

if TYPE_CHECKING:
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.manifest import Index, Manifest
    from pytest_images.server.body import Body
    from pytest_images.server.service import Service
    from pytest_images.server.shelf import Shelf
    from pytest_images.server.wire import Request

_DOCUMENTS = media_types.MANIFESTS | media_types.INDEXES
MANIFEST_LIMIT = 4 << 20  # bytes; the least that the specification wants accepted
_SHOWN = 20  # missing blobs that an answer names


def get(service: Service, request: Request, body: Body, name: str, reference: str) -> Response:
    """``GET`` and ``HEAD /v2/<name>/manifests/<reference>``."""
    del request, body
    digest = _find(service.shelf, name, reference)
    text = str(digest)
    raw, media_type = service.recent.get(text) or _load(service, name, digest)
    headers = (
        ("Content-Type", media_type),
        ("Docker-Content-Digest", text),
        ("Etag", f'"{text}"'),
    )
    return Response(200, headers, raw)


def put(service: Service, request: Request, body: Body, name: str, reference: str) -> Response:
    """``PUT /v2/<name>/manifests/<reference>``, with further tags as ``?tag=…`` by digest."""
    expected = names.digest(reference) if ":" in reference else None
    tags = request.parameters().get("tag", []) if expected else [reference]
    for tag in tags:
        if not names.is_tag(tag):
            raise Refusal(400, "NAME_INVALID", "invalid tag")
    raw = body.read(MANIFEST_LIMIT, "the manifest")
    digest = Digest.of(raw, expected.algorithm if expected else "sha256")
    if expected is not None and digest != expected:
        raise Refusal(400, "DIGEST_INVALID", f"the content is {digest}, not {expected}")
    document = _check(raw, request.headers.get("content-type", ""))
    _check_references(service.shelf, name, document)
    _keep(service, name, digest, raw)
    for tag in tags:
        service.shelf.tag(name, tag, digest)
    headers = [
        ("Location", f"/v2/{name}/manifests/{digest}"),
        ("Docker-Content-Digest", str(digest)),
    ]
    if expected and tags:
        headers.append(("OCI-Tag", ", ".join(tags)))
    return Response(201, headers)


def delete(service: Service, request: Request, body: Body, name: str, reference: str) -> Response:
    """``DELETE /v2/<name>/manifests/<reference>``: a tag alone, or a manifest with its tags."""
    del request, body
    if not remove(service.shelf, name, reference):
        raise _unknown(name, reference)
    return Response(202)


def remove(shelf: Shelf, name: str, reference: str) -> bool:
    """Take away a tag, or a manifest by digest with the tags that stand for it; False: none."""
    if ":" not in reference:
        return names.is_tag(reference) and shelf.untag(name, reference)
    digest = names.digest(reference)
    if not shelf.drop(name, MANIFESTS, digest):
        return False
    for tag in shelf.tags(name):
        if shelf.tagged(name, tag) == str(digest):
            shelf.untag(name, tag)
    return True


def _find(shelf: Shelf, name: str, reference: str) -> Digest:
    """Return the digest of a manifest that the repository has."""
    if ":" in reference:
        digest = names.digest(reference)
    else:
        text = shelf.tagged(name, reference) if names.is_tag(reference) else None
        if text is None:
            raise _unknown(name, reference)
        digest = names.digest(text)
    if not shelf.has(name, MANIFESTS, digest):
        raise _unknown(name, reference)
    return digest


def _load(service: Service, name: str, digest: Digest) -> tuple[bytes, str]:
    """Read a manifest from the disk, verify it, and keep it at hand."""
    from pytest_images.model.manifest import parse_document

    descriptor = service.shelf.open(name, MANIFESTS, digest)
    if descriptor is None:
        raise _unknown(name, str(digest))
    with os.fdopen(descriptor, "rb") as file:
        raw = file.read(MANIFEST_LIMIT + 1)
    if Digest.of(raw, digest.algorithm) != digest:
        raise Refusal(500, "UNKNOWN", f"the registry's copy of {digest} is damaged")
    media_type = parse_document(raw).media_type
    service.recent.put(str(digest), raw, media_type)
    return raw, media_type


def _check(raw: bytes, claimed: str) -> Manifest | Index:
    """Read the document; what its bytes say decides, and a claim that differs is refused."""
    from pytest_images.model.manifest import parse_document

    claimed = claimed.partition(";")[0].strip()
    try:
        document = parse_document(raw, claimed)
        if claimed in _DOCUMENTS and parse_document(raw).media_type != claimed:
            reason = f"its content does not say that it is {claimed}"
            raise InvalidDocument("manifest", reason)
    except (InvalidDocument, LimitExceeded) as error:
        raise Refusal(400, "MANIFEST_INVALID", str(error)) from error
    return document


def _check_references(shelf: Shelf, name: str, document: Manifest | Index) -> None:
    """Refuse a document that points to what the repository has not, or not in that size."""
    from pytest_images.model.manifest import Manifest

    if isinstance(document, Manifest):
        wanted = (document.config, *document.layers)
        kinds: tuple[str, ...] = (BLOBS,)
    else:
        wanted, kinds = document.manifests, (MANIFESTS, BLOBS)  # build caches list plain blobs
    missing = []
    for descriptor in {d.digest: d for d in wanted}.values():
        if descriptor.media_type in media_types.FOREIGN_LAYERS:
            continue  # is somewhere else, by definition
        size = _size(shelf, name, kinds, descriptor)
        if size is None:
            missing.append(str(descriptor.digest))
        elif size != descriptor.size:
            message = f"{descriptor.digest} has {size} bytes, not {descriptor.size}"
            raise Refusal(400, "MANIFEST_INVALID", message)
    if missing:
        raise Refusal(
            400,
            "MANIFEST_BLOB_UNKNOWN",
            f"{len(missing)} of the blobs and manifests it names are not in {name}",
            detail=missing[:_SHOWN],
        )


def _size(shelf: Shelf, name: str, kinds: tuple[str, ...], wanted: Descriptor) -> int | None:
    found = (shelf.size(name, kind, wanted.digest) for kind in kinds)
    return next((size for size in found if size is not None), None)


def _keep(service: Service, name: str, digest: Digest, raw: bytes) -> None:
    shelf = service.shelf
    if not shelf.has(name, MANIFESTS, digest):
        with shelf.store.ingest(digest, len(raw), "the manifest") as ingest:
            ingest.write(raw)
            shelf.keep(ingest, digest, name, MANIFESTS)


def _unknown(name: str, reference: str) -> Refusal:
    return Refusal(404, "MANIFEST_UNKNOWN", f"{name} has no manifest {reference}")
