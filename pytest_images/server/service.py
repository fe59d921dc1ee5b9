"""What the routes work on: the shelf, the uploads, the limits, and manifests just read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pytest_images.server.refusal import Refusal
from pytest_images.server.uploads import Uploads

if TYPE_CHECKING:
    from pytest_images.content.ingest import Ingest
    from pytest_images.server.body import Body
    from pytest_images.server.shelf import Shelf

_RECENT = 256  # manifests
_RECENT_SIZE = 64 << 10  # bytes of the largest that is worth keeping: 16 MiB in all


class Service:
    """One registry's state, shared by all its connections."""

    def __init__(self, shelf: Shelf, blob_limit: int) -> None:
        self.shelf, self.blob_limit = shelf, blob_limit
        self.uploads = Uploads()
        self.recent = Recent()

    def receive(self, body: Body, ingest: Ingest) -> None:
        """Append *body* to *ingest*; refuses with 413 what makes a blob too large."""
        left = self.blob_limit - ingest.offset
        too_large = Refusal(
            413, "SIZE_INVALID", f"a blob exceeds the limit of {self.blob_limit} bytes", close=True
        )
        if body.length is not None and body.length > left:
            raise too_large
        for piece in body.pieces():
            left -= len(piece)
            if left < 0:
                raise too_large
            ingest.write(piece)

    def close(self) -> None:
        """Drop unfinished uploads and close the store."""
        self.uploads.close()
        self.shelf.store.close()


class Recent:
    """Manifests read lately, by digest: bytes that can never change, with their media type."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[bytes, str]] = {}
        self._lock = threading.Lock()

    def get(self, digest: str) -> tuple[bytes, str] | None:
        """Return bytes and media type, if they are here."""
        return self._entries.get(digest)

    def put(self, digest: str, raw: bytes, media_type: str) -> None:
        """Keep a manifest for a while; the oldest makes room."""
        if len(raw) > _RECENT_SIZE:
            return
        with self._lock:
            if len(self._entries) >= _RECENT:
                del self._entries[next(iter(self._entries))]
            self._entries[digest] = raw, media_type
