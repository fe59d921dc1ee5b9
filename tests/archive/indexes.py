"""An index recorded in a store as a pull with the whole index leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.model.image import Image
    from pytest_images.testing.samples import Sample, SampleIndex


def put_index(
    store: Store, index: SampleIndex, name: str, *, without: tuple[Sample, ...] = ()
) -> Image:
    """Record the first image of *index* under *name*, with the blobs of all but *without*."""
    first = index.images[0]
    missing = {digest for sample in without for digest in sample.blobs}
    with store.lease() as lease:
        for digest, content in index.blobs.items():
            if digest not in missing:
                lease.hold(digest)
                store.put(content, digest)
        names = [Reference.parse(name)]
        store.add(first.manifest, first.config, names, index=index.index.digest)
    return store.image(Selector.of(first.config.id))
