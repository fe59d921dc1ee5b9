"""Blobs: sent from the disk, whole or a range of them (OCI distribution-spec, Pulling blobs)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_images.server import names, ranges
from pytest_images.server.refusal import Refusal
from pytest_images.server.response import FilePart, Response
from pytest_images.server.shelf import BLOBS

if TYPE_CHECKING:
    from pytest_images.model.digest import Digest
    from pytest_images.server.body import Body
    from pytest_images.server.service import Service
    from pytest_images.server.wire import Request


def get(service: Service, request: Request, body: Body, name: str, digest: str) -> Response:
    """``GET`` and ``HEAD /v2/<name>/blobs/<digest>``; readers of a deleted blob read on."""
    del body
    wanted = names.digest(digest)
    descriptor = service.shelf.open(name, BLOBS, wanted)
    if descriptor is None:
        raise _unknown(name, wanted)
    try:
        return _part(request, descriptor, wanted)
    except BaseException:
        os.close(descriptor)
        raise


def delete(service: Service, request: Request, body: Body, name: str, digest: str) -> Response:
    """``DELETE /v2/<name>/blobs/<digest>``: from this repository only."""
    del request, body
    wanted = names.digest(digest)
    if not service.shelf.drop(name, BLOBS, wanted):
        raise _unknown(name, wanted)
    return Response(202)


def _part(request: Request, descriptor: int, digest: Digest) -> Response:
    size, etag = os.fstat(descriptor).st_size, f'"{digest}"'
    headers = [
        ("Content-Type", "application/octet-stream"),
        ("Docker-Content-Digest", str(digest)),
        ("Etag", etag),
        ("Accept-Ranges", "bytes"),
    ]
    condition = request.headers.get("if-range", etag)
    asked = ranges.asked(request.headers.get("range"), size) if condition == etag else None
    if asked is None:
        return Response(200, headers, FilePart(descriptor, 0, size))
    offset, count = asked
    headers.append(("Content-Range", f"bytes {offset}-{offset + count - 1}/{size}"))
    return Response(206, headers, FilePart(descriptor, offset, count))


def _unknown(name: str, digest: Digest) -> Refusal:
    return Refusal(404, "BLOB_UNKNOWN", f"{name} has no blob {digest}")
