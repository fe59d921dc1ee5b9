"""What the blobs take on the disk, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.content import collect
from pytest_images.content.facts import Share, Usage
from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.content.collect import Collector
    from pytest_images.content.home import Home
    from pytest_images.model.image import Image


def usage(home: Home, collector: Collector, images: Sequence[Image], used: frozenset[str]) -> Usage:
    """Count what is here of *images*; *used* are the digests and IDs in use."""
    contents, reached = collector.contents(), collector.reached()
    active = {str(each.id) for each in images if {str(each.id), str(each.digest)} & used}
    kept = used.union(*(contents[id] for id in contents if id in active | used))
    sizes = _sizes(home)
    cached = [size for digest, size in sizes.items() if digest not in reached]
    return Usage(
        images=len(images),
        names=sum(len(image.tags) for image in images),
        blobs=len(sizes),
        size=sum(sizes.values()),
        cache_blobs=len(cached),
        cache_size=sum(cached),
        active=len(active),
        reclaimable=sum(sizes.get(digest, 0) for digest in reached - kept),
    )


def shares(home: Home, collector: Collector) -> dict[Digest, Share]:
    """Return what each image takes, by its ID: with others, and alone."""
    contents, sizes = collector.contents(), _sizes(home)
    holders: dict[str, int] = {}
    for digest in (digest for blobs in contents.values() for digest in blobs):
        holders[digest] = holders.get(digest, 0) + 1
    return {
        Digest.parse(image): Share(
            shared=sum(sizes.get(digest, 0) for digest in blobs if holders[digest] > 1),
            unique=sum(sizes.get(digest, 0) for digest in blobs if holders[digest] == 1),
        )
        for image, blobs in contents.items()
    }


def _sizes(home: Home) -> dict[str, int]:
    """Return the bytes of every blob on the disk."""
    return {blob.digest: blob.size for blob in collect.on_disk(home)}
