"""How long, how large and how often: every bound the network side has, in one value."""

from __future__ import annotations

from pytest_images.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a session. Seconds and bytes; the defaults are those of the documentation.

    ``idle`` is the longest silence, ``commit`` the longest wait for the answer to an upload
    (the registry hashes and stores it first). ``floor`` is the rate, in bytes a second over
    ``window`` seconds of waiting, below which a body is given up. ``small`` bounds the whole
    time of an answer that is read into memory. ``attempts`` counts the first try too.
    ``threads`` blobs are fetched at once, ``uploads`` sent: as many as Docker, for a registry that
    hashes each on one processor shall not end with one alone.
    ``monolithic`` is the largest blob sent in one request, ``upload_chunk`` a piece of others.
    ``retry_after`` caps what a server may ask us to wait, ``patience`` all waits of a request.
    """

    connect: float = 10.0
    idle: float = 30.0
    commit: float = 300.0
    small: float = 60.0
    window: float = 30.0
    floor: int = 64
    redirects: int = 5
    attempts: int = 5
    backoff: float = 0.2
    backoff_cap: float = 5.0
    retry_after: float = 30.0
    patience: float = 90.0
    error_body: int = 64 << 10
    token_body: int = 1 << 20
    document_body: int = 4 << 20
    tag_pages: int = 1000
    tags: int = 100_000
    threads: int = 3
    uploads: int = 5
    chunk: int = 512 << 10
    monolithic: int = 16 << 30
    upload_chunk: int = 32 << 20


DEFAULT = Limits()
