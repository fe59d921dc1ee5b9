"""Blobs on their way in: one session an upload (OCI distribution-spec, Pushing blobs)."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from typing import TYPE_CHECKING

from pytest_images.errors import DigestMismatch, SizeMismatch
from pytest_images.server import names, ranges
from pytest_images.server.refusal import Cut, Refusal
from pytest_images.server.response import Response
from pytest_images.server.shelf import BLOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.ingest import Ingest
    from pytest_images.model.digest import Digest
    from pytest_images.server.body import Body
    from pytest_images.server.service import Service
    from pytest_images.server.wire import Request

SESSION_LIMIT = 256  # unfinished uploads; beyond, the one untouched for longest is dropped
SESSION_SECONDS = 600.0  # after which an untouched upload is dropped
BUSY_SECONDS = 2.0  # a second request of one upload waits for the first
_COPY = 1 << 20  # bytes at a time


class Upload:
    """One unfinished upload: where it goes, and what came so far."""

    def __init__(self, repository: str, algorithm: str) -> None:
        self.id = secrets.token_hex(16)
        self.repository, self.algorithm = repository, algorithm
        self.ingest: Ingest | None = None  # made with the first byte
        self.lock = threading.Lock()
        self.touched = time.monotonic()
        self.is_over = False

    @property
    def offset(self) -> int:
        """The bytes received."""
        return self.ingest.offset if self.ingest is not None else 0

    def close(self) -> None:
        """Drop what came."""
        self.is_over = True
        ingest, self.ingest = self.ingest, None
        if ingest is not None:
            ingest.close()


class Uploads:
    """The sessions of a registry."""

    def __init__(self) -> None:
        self._sessions: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, repository: str, algorithm: str) -> Upload:
        """Start a session; old ones that nobody touched make room."""
        upload = Upload(repository, algorithm)
        with self._lock:
            self._make_room()
            self._sessions[upload.id] = upload
        return upload

    @contextlib.contextmanager
    def taken(self, repository: str, session: str) -> Iterator[Upload]:
        """Work on a session alone: of two requests at once, one comes first.

        Refuses an unknown session, one of another repository, and one that stays busy.
        """
        upload = self._sessions.get(names.upload_id(session))
        if upload is None or upload.repository != repository:
            raise _unknown()
        if not upload.lock.acquire(timeout=BUSY_SECONDS):
            raise Refusal(409, "BLOB_UPLOAD_INVALID", "another request writes to this upload")
        try:
            if upload.is_over:
                raise _unknown()
            upload.touched = time.monotonic()
            yield upload
        finally:
            upload.touched = time.monotonic()
            upload.lock.release()

    def drop(self, upload: Upload) -> None:
        """End a session, with what came; its lock is held by the caller."""
        with self._lock:
            self._sessions.pop(upload.id, None)
        upload.close()

    def close(self) -> None:
        """End all sessions; no request runs any more."""
        for upload in list(self._sessions.values()):
            self.drop(upload)

    def _make_room(self) -> None:
        """Drop sessions that are too old, or too many; never one that is being written."""
        limit = time.monotonic() - SESSION_SECONDS
        excess = len(self._sessions) + 1 - SESSION_LIMIT
        for upload in sorted(self._sessions.values(), key=lambda upload: upload.touched):
            if excess <= 0 and upload.touched > limit:
                return
            if upload.lock.acquire(blocking=False):
                del self._sessions[upload.id]
                upload.close()
                upload.lock.release()
                excess -= 1


def begin(service: Service, request: Request, body: Body, name: str) -> Response:
    """``POST /v2/<name>/blobs/uploads/``: mount, take the whole at once, or start a session."""
    mount, source = request.parameter("mount"), request.parameter("from")
    if mount is not None:
        digest = names.digest(mount)
        # Without a source nothing is looked for: that a blob exists somewhere is not told.
        if source is not None and service.shelf.share(digest, names.repository(source), name):
            return created(name, digest)
    whole = request.parameter("digest")
    if whole is not None:
        return _take_whole(service, body, name, names.digest(whole))
    algorithm = names.algorithm(request.parameter("digest-algorithm"))
    upload = service.uploads.begin(name, algorithm)
    return _progress(202, upload)


def append(service: Service, request: Request, body: Body, name: str, session: str) -> Response:
    """``PATCH …/<session>``: the next chunk, or a stream of any length without Content-Range."""
    with service.uploads.taken(name, session) as upload:
        _check_place(request, upload)
        try:
            _write(service, upload, body)
        except Cut:
            raise  # what came stays: the client may ask how much, and go on
        except Exception:
            service.uploads.drop(upload)
            raise
        return _progress(202, upload)


def finish(service: Service, request: Request, body: Body, name: str, session: str) -> Response:
    """``PUT …/<session>?digest=…``: the last chunk, if any; then the blob is checked and kept."""
    with service.uploads.taken(name, session) as upload:
        _check_place(request, upload)
        try:
            digest = names.digest(request.parameter("digest") or "")
            if upload.ingest is None:
                return _take_whole(service, body, name, digest)
            _write(service, upload, body)
            if upload.algorithm != digest.algorithm:
                return _take_again(service, upload.ingest, name, digest)
            _keep(service, upload.ingest, digest, name)
        finally:
            service.uploads.drop(upload)
    return created(name, digest)


def status(service: Service, request: Request, body: Body, name: str, session: str) -> Response:
    """``GET …/<session>``: how much came."""
    del request, body
    with service.uploads.taken(name, session) as upload:
        return _progress(204, upload)


def cancel(service: Service, request: Request, body: Body, name: str, session: str) -> Response:
    """``DELETE …/<session>``: forget it."""
    del request, body
    with service.uploads.taken(name, session) as upload:
        service.uploads.drop(upload)
    return Response(204)


def created(name: str, digest: Digest) -> Response:
    """The answer to a blob that is there now."""
    headers = (
        ("Location", f"/v2/{name}/blobs/{digest}"),
        ("Docker-Content-Digest", str(digest)),
    )
    return Response(201, headers)


def _take_whole(service: Service, body: Body, name: str, digest: Digest) -> Response:
    """Take a blob that comes in one body."""
    with service.shelf.store.ingest(digest, source="the upload") as ingest:
        service.receive(body, ingest)
        _keep(service, ingest, digest, name)
    return created(name, digest)


def _take_again(service: Service, ingest: Ingest, name: str, digest: Digest) -> Response:
    """Take what came once more, for it was hashed with another algorithm than its digest's."""
    with service.shelf.store.ingest(digest, source="the upload") as again:
        while again.offset < ingest.offset:
            data = os.pread(ingest.fileno(), _COPY, again.offset)
            if not data:
                raise Refusal(500, "UNKNOWN", "the upload's file became shorter")
            again.write(data)
        _keep(service, again, digest, name)
    return created(name, digest)


def _write(service: Service, upload: Upload, body: Body) -> None:
    if body.is_finished:
        return
    if upload.ingest is None:
        upload.ingest = service.shelf.store.ingest(source="the upload", algorithm=upload.algorithm)
    service.receive(body, upload.ingest)


def _keep(service: Service, ingest: Ingest, digest: Digest, name: str) -> None:
    try:
        service.shelf.keep(ingest, digest, name, BLOBS)
    except (DigestMismatch, SizeMismatch) as error:
        raise Refusal(400, "DIGEST_INVALID", str(error)) from error


def _check_place(request: Request, upload: Upload) -> None:
    """Refuse a chunk that does not begin where the last one ended."""
    text = request.headers.get("content-range")
    if text is not None and ranges.chunk(text, request.length) != upload.offset:
        message = "the chunk does not begin where the upload ends"
        raise Refusal(416, "BLOB_UPLOAD_INVALID", message, headers=_headers(upload))


def _progress(code: int, upload: Upload) -> Response:
    return Response(code, _headers(upload))


def _headers(upload: Upload) -> tuple[tuple[str, str], ...]:
    return (
        ("Location", f"/v2/{upload.repository}/blobs/uploads/{upload.id}"),
        ("Range", ranges.received(upload.offset)),
        ("Docker-Upload-Uuid", upload.id),
    )


def _unknown() -> Refusal:
    return Refusal(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload")
