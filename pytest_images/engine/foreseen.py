"""What bringing an image will take, as far as the store can tell; no registry is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.engine.wanted import Missing, Wanted
from pytest_images.errors import ImagesError
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.model.digest import Digest
    from pytest_images.model.request.pull import PullRequest


class Foreseen(NamedTuple):
    """Bytes of the image's blobs, and how many of them are to be fetched."""

    size: int
    missing: int


def foreseen(store: Store, request: PullRequest, digest: Digest | None) -> Foreseen | None:
    """Say what *request* will fetch while its name stands for *digest*.

    None as *digest* is what a registry last said of it. None: its documents are not here.
    """
    reference = request.reference
    said = store.remembered(reference)
    digest = digest or reference.digest or (said[0] if said else None)
    if digest is None:
        return None
    wanted = Wanted(store, request, reference.with_digest(digest))
    try:
        root = wanted.stored(digest)
        chosen = wanted.choose(root)
        if store.has(chosen.config.digest) and not wanted.fits(wanted.platform_of(chosen), root):
            return None
        blobs = wanted.blobs(root, chosen)
    except (Missing, ImagesError):  # another platform's, or never seen
        return None
    missing = [blob for blob in blobs if not store.has(blob.digest)]
    return Foreseen(sum(b.size for b in blobs), sum(b.size for b in missing))
