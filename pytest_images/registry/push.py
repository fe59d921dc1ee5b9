"""Images and indexes into a registry: blobs first, then the documents that name them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_images.dataclass import replace
from pytest_images.model.media_types import FOREIGN_LAYERS
from pytest_images.model.progress import Phase
from pytest_images.registry.together import Together
from pytest_images.registry.uploads import Upload, put_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_images.content.store import Store
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.manifest import Index, Manifest
    from pytest_images.registry.meter import ItemMeter, Meter
    from pytest_images.registry.repository import Repository


class Push:
    """One push into one repository. *sources*: repositories there that may have the blobs."""

    def __init__(
        self, repository: Repository, store: Store, meter: Meter, sources: Sequence[str] = ()
    ) -> None:
        self._together = Together(repository.limits.uploads, "image-push")
        self._repository = replace(repository, retrying=meter.retrying, check=self._together.check)
        self._store, self._meter, self._sources = store, meter, sources

    def blobs(self, descriptors: Iterable[Descriptor]) -> None:
        """Put every blob there that is not; the largest first, some at once.

        All are told of before the first goes, layers from the top down.
        Raises BlobNotFound where the store lacks one, and what `Upload.run` raises.
        """
        wanted = {each.digest: each for each in descriptors if not self._stays_away(each)}
        for each in wanted.values():
            self._store.size(each.digest)
        items = {digest: self._meter.blob(each) for digest, each in wanted.items()}
        for item in reversed(items.values()):
            item.phase(Phase.WAITING)
        ordered = sorted(wanted.values(), key=lambda each: each.size, reverse=True)
        if ordered:
            self._together.run([partial(self._one, each, items[each.digest]) for each in ordered])

    def document(self, document: Manifest | Index, name: str) -> None:
        """Put a manifest or index under *name*, a tag or a digest."""
        put_document(self._repository, document.raw, document.media_type, name)
        descriptor = document.descriptor
        text, size = str(descriptor.digest), descriptor.size
        self._meter.tell(name, Phase.DONE, size, size, text=text, kind="manifest")

    def _one(self, descriptor: Descriptor, item: ItemMeter) -> None:
        self._together.check()
        path = self._store.path(descriptor.digest)
        Upload(self._repository, descriptor, path, item, self._together).run(self._sources)

    def _stays_away(self, descriptor: Descriptor) -> bool:
        """Whether a layer is one that its maker keeps elsewhere, and that is not here either."""
        is_foreign = descriptor.media_type in FOREIGN_LAYERS and bool(descriptor.urls)
        return is_foreign and not self._store.has(descriptor.digest)
