"""What an image takes unpacked: layers nobody has looked into yet are measured and recorded."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self

from pytest_images.dataclass import replace
from pytest_images.errors import DigestMismatch, ImagesError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.content.facts import LayerFacts
    from pytest_images.content.store import Store
    from pytest_images.layer.member import Member
    from pytest_images.model.config import Config
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image
    from pytest_images.model.manifest import Manifest


TOGETHER = 500  # layers whose facts are recorded at once, where many are looked into


def measured(store: Store, image: Image) -> Image:
    """Return *image* with its size in bytes, as Docker counts: its files, holes included.

    A layer that is read for this is held against its diff ID. Raises DigestMismatch,
    InvalidLayer, InvalidDocument, LimitExceeded, BlobNotFound.
    """
    with Findings(store) as findings:
        return findings.measured(image)


class Findings:
    """What is found out about many layers, recorded together: a commit for each takes too long."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[Digest, LayerFacts] = {}

    def measured(self, image: Image) -> Image:
        """Return *image* with its size, as `measured` does."""
        if image.size is not None:
            return image
        sizes = [self.facts(*layer).content_size for layer in layers_of(self._store, image)]
        return replace(image, size=sum(sizes))

    def facts(self, digest: Digest, diff_id: Digest) -> LayerFacts:
        """Return what a layer is unpacked; one nobody has looked into yet is read now."""
        facts = self._store.layer(digest) or self._found.get(digest)
        if facts is None:
            facts = self._found[digest] = look_into(self._store, digest, diff_id)
            if len(self._found) >= TOGETHER:
                self._record()
        return facts

    def _record(self) -> None:
        """Keep what was found; a store that cannot be written can be looked into."""
        found, self._found = self._found, {}
        if found:
            with suppress(StoreError):
                self._store.add_layers(found)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._record()


def layer_sizes(store: Store, image: Image) -> list[int | None]:
    """Return what each layer of *image* takes unpacked, in bytes, the base first.

    None stands for a layer that cannot be measured. Raises InvalidDocument.
    """
    with Findings(store) as findings:
        return [_size_or_none(findings, *layer) for layer in layers_of(store, image)]


def layers_of(store: Store, image: Image) -> list[tuple[Digest, Digest]]:
    """Return digest and diff ID of each layer. Raises InvalidDocument."""
    manifest = manifest_of(store, image)
    config = config_of(store, manifest)
    config.require_layers_of(manifest, str(image.id))
    digests = (layer.digest for layer in manifest.layers)
    return list(zip(digests, config.diff_ids, strict=True))


def _size_or_none(findings: Findings, digest: Digest, diff_id: Digest) -> int | None:
    try:
        return findings.facts(digest, diff_id).content_size
    except ImagesError:
        return None


def manifest_of(store: Store, image: Image) -> Manifest:
    """Return the manifest of *image*: its name may stand for another one than its ID does."""
    from pytest_images.model.manifest import Manifest

    descriptor = image.manifest
    raw = store.read(descriptor.digest)
    return Manifest.parse(raw, descriptor.media_type, str(descriptor.digest))


def config_of(store: Store, manifest: Manifest) -> Config:
    """Return the config of *manifest*, whether or not its image is recorded."""
    from pytest_images.model.config import Config

    digest = manifest.config.digest
    return Config.parse(store.read(digest), str(digest))


def facts_of(store: Store, digest: Digest, diff_id: Digest) -> LayerFacts:
    """Return what a layer is unpacked; one nobody has looked into yet is read now."""
    with Findings(store) as findings:
        return findings.facts(digest, diff_id)


def record(store: Store, digest: Digest, facts: LayerFacts) -> None:
    """Keep what a layer is unpacked; a store that cannot be written can be looked into."""
    with suppress(StoreError):
        store.add_layer(digest, facts)


def look_into(
    store: Store,
    digest: Digest,
    diff_id: Digest,
    visit: Callable[[Member], None] = lambda member: None,
) -> LayerFacts:
    """Read a layer once, held against its *diff_id*, and say what it is unpacked.

    *visit* is called with each member. Raises DigestMismatch, InvalidLayer, LimitExceeded,
    BlobNotFound.
    """
    from pytest_images.layer.limit import expansion_limit
    from pytest_images.layer.measure import measure

    source, limit = f"layer {digest}", expansion_limit(store.root)
    with store.open_blob(digest) as blob:
        facts = measure(blob, source, limit, algorithm=diff_id.algorithm, visit=visit)
    if facts.diff_id != diff_id:
        error = DigestMismatch(str(diff_id), str(facts.diff_id), f"{source}, unpacked")
        error.add_note("The image's config and its layers do not belong together.")
        raise error
    return facts
