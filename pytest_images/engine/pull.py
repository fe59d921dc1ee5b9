"""`pull`: from the endpoints that serve a reference into the store, verified, under its name.

A layer is verified as it is stored, compressed. Its diff ID is not: inflating a layer nobody
looks into would cost more than the download. It is verified at the first look into the layer
(`pytest_images.engine.sizes`), and no layer is ever found by a diff ID before that.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_images.dataclass import replace
from pytest_images.engine.wanted import Missing, Wanted
from pytest_images.errors import (
    ImageNotFound,
    InvalidDocument,
    LimitExceeded,
    PlatformNotFound,
    SizeMismatch,
)
from pytest_images.model.documents import DOCUMENT_LIMIT
from pytest_images.model.endpoint import Access, Endpoint
from pytest_images.model.manifest import Index, Manifest
from pytest_images.model.progress import Phase
from pytest_images.model.selector import Selector
from pytest_images.registry.endpoints import first_served

if TYPE_CHECKING:
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.config import Config
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference
    from pytest_images.model.request.pull import PullRequest
    from pytest_images.registry.client import Client


def pull(images: Images, store: Store, client: Client, request: PullRequest) -> tuple[Image, ...]:
    """Bring the images that *request* names into *store*; return them as they are there.

    The registry is asked what the name stands for; what is here already is not fetched. Of
    many that pull one name at once on this machine, one fetches.

    Raises ImageNotFound, PlatformNotFound, NotAnImage, InvalidDocument, DigestMismatch,
    SizeMismatch, LimitExceeded, AuthError, RegistryError, Unreachable, and the store's own.
    """
    if not request.all_tags:
        return (_one(images, store, client, request),)
    single = replace(request, all_tags=False)
    named = [request.reference.with_tag(tag) for tag in _tags(images, client, request.reference)]
    return tuple(_one(images, store, client, replace(single, reference=each)) for each in named)


def _tags(images: Images, client: Client, reference: Reference) -> tuple[str, ...]:
    endpoints = images.endpoints(reference, Access.RESOLVE)
    tags = first_served(
        reference.name, endpoints, Access.RESOLVE, lambda each: client.tags(each, reference)
    )
    if not tags:
        raise ImageNotFound(reference.familiar_name, reference.registry)
    return tags


def _one(images: Images, store: Store, client: Client, request: PullRequest) -> Image:
    """Pull one reference: look whether it is all here, else fetch it under a lock."""
    pinned = images.resolve(request.reference)
    wanted = Wanted(store, request, pinned)
    meter = client.meter("pull", str(request.reference))
    phase, found = Phase.EXISTS, wanted.held()
    if found is None:
        with store.guard("pull", str(request.reference)), store.lease() as lease:
            found = wanted.held()  # while we waited, another may have brought it
            if found is None:
                phase, found = Phase.DONE, _fetched(images, client, wanted, lease)
    store.use(found)
    meter.tell("", phase, text=str(pinned.digest))
    return found


def _fetched(images: Images, client: Client, wanted: Wanted, lease: Lease) -> Image:
    """Fetch from the first endpoint that serves everything, and record the image."""

    def bring(endpoint: Endpoint) -> tuple[Manifest | Index, Manifest, Config]:
        return _Source(wanted, client, lease, endpoint).bring()

    endpoints = images.endpoints(wanted.pinned, Access.PULL)
    if not endpoints and wanted.is_whole():
        endpoints = (Endpoint(wanted.pinned.registry),)  # nothing is left to ask there
    root, manifest, config = first_served(wanted.name, endpoints, Access.PULL, bring)
    store = wanted.store
    for digest, raw in ((manifest.digest, manifest.raw), (config.id, config.raw)):
        lease.hold(digest)  # by sha256 too, whatever algorithm named them
        if not store.has(digest):
            store.put(raw)
    index = wanted.digest if isinstance(root, Index) else None
    store.add(manifest, config, wanted.tags, [wanted.pin], index)
    if not wanted.is_remembered():  # a later run asks nobody whether the repository has it
        store.remember(wanted.pin, wanted.digest)
    image = store.image(Selector.of(config.id))
    return replace(image, reference=wanted.request.reference)


class _Source(Wanted):
    """A pull at one endpoint: what the store lacks is asked there, and stays here."""

    def __init__(self, wanted: Wanted, client: Client, lease: Lease, endpoint: Endpoint) -> None:
        super().__init__(wanted.store, wanted.request, wanted.pinned)
        self.documents = wanted.documents
        self._client, self._lease, self._endpoint = client, lease, endpoint

    def bring(self) -> tuple[Manifest | Index, Manifest, Config]:
        """Fetch all that is missing; return the root document, the chosen manifest, its config."""
        root = self._root()
        manifest = self.choose(root)
        manifest.require_image(self.name)
        _require_small(manifest.config, self.name)
        return root, manifest, self._fetch(self.blobs(root, manifest), manifest, root)

    def _fetch(self, blobs: list[Descriptor], manifest: Manifest, root: Manifest | Index) -> Config:
        looked: list[Config] = []

        def look() -> None:
            looked.append(self._checked_config(manifest, root))

        reference = self.request.reference
        self._client.fetch(self._endpoint, reference, blobs, self.store, self._lease, first=look)
        return looked[0]

    def _root(self) -> Manifest | Index:
        """Return the document that was pinned. Raises ImageNotFound where this place lacks it.

        A digest that is here because of another repository proves nothing about this one.
        """
        is_doubtful = self.store.has(self.digest) and not self.is_of_repository()
        if is_doubtful and not self._client.has(self._endpoint, self.pinned, self.digest):
            raise ImageNotFound(str(self.pinned), str(self._endpoint))
        return self._document(self.digest)

    def _document(self, digest: Digest) -> Manifest | Index:
        self._lease.hold(digest)
        with suppress(Missing):
            return self.stored(digest)
        found = self._client.manifest(self._endpoint, self.pinned.with_digest(digest))
        self.store.put(found.raw, digest)
        return found

    def read(self, descriptor: Descriptor) -> Manifest | Index:
        """Return a document that an index names, of the size it states."""
        document = self._document(descriptor.digest)
        if len(document.raw) != descriptor.size:
            raise SizeMismatch(descriptor.size, len(document.raw), str(descriptor.digest))
        return document

    def platform_of(self, manifest: Manifest) -> Platform:
        """Ask the config of a manifest whose index does not say its platform."""
        _require_small(manifest.config, self.name)
        reference = self.request.reference
        self._client.fetch(self._endpoint, reference, [manifest.config], self.store, self._lease)
        return super().platform_of(manifest)

    def _checked_config(self, manifest: Manifest, root: Manifest | Index) -> Config:
        """Return the config; refuse one that does not fit, or is not of a platform asked for."""
        config = self.config(manifest)
        if len(config.diff_ids) != len(manifest.layers):
            reason = f"{len(config.diff_ids)} diff IDs for {len(manifest.layers)} layers"
            raise InvalidDocument(f"{self.name}@{manifest.config.digest}", reason)
        if not self.fits(config.platform, root):
            wanted = ", ".join(map(str, self.request.platforms))
            raise PlatformNotFound(self.name, wanted, (str(config.platform),))
        return config


def _require_small(config: Descriptor, source: str) -> None:
    """Raise LimitExceeded for a config too large to be read into memory."""
    if config.size > DOCUMENT_LIMIT:
        raise LimitExceeded(source, "size of the config in bytes", DOCUMENT_LIMIT)
