"""What a pull wants of a reference, and whether the store has all of it already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import replace
from pytest_images.engine.choose import choose, every_document, host_platform, preferred
from pytest_images.errors import (
    BlobNotFound,
    ImageNotFound,
    InvalidDocument,
    PlatformNotFound,
    StoreDamaged,
)
from pytest_images.model.config import Config
from pytest_images.model.manifest import Index, Manifest, parse_document
from pytest_images.model.media_types import CONFIGS
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference
    from pytest_images.model.request.pull import PullRequest


class Missing(Exception):
    """Something is not in the store (or is damaged there), so it has to be fetched."""


class Wanted:
    """One reference to pull, resolved; reads the store only, and raises Missing beyond it."""

    def __init__(self, store: Store, request: PullRequest, pinned: Reference) -> None:
        if pinned.digest is None:
            raise InvalidDocument(str(pinned), "it was resolved without a digest")
        self.store, self.request, self.pinned = store, request, pinned
        self.digest: Digest = pinned.digest
        self.name = request.reference.familiar
        self.documents: dict[Digest, Manifest | Index] = {}  # those read and verified before

    @property
    def tags(self) -> list[Reference]:
        """The names to keep the image under: a digest that was asked for moves no tag."""
        reference = self.request.reference
        return [reference] if reference.tag and not reference.is_pinned else []

    @property
    def pin(self) -> Reference:
        """The repository and digest, as RepoDigests show it."""
        return self.pinned.with_tag(None).with_digest(self.digest)

    def read(self, descriptor: Descriptor) -> Manifest | Index:
        """Return a document that an index names."""
        return self.stored(descriptor.digest)

    def stored(self, digest: Digest) -> Manifest | Index:
        """Return a document that the store has, verified."""
        if digest in self.documents and self.store.has(digest):
            return self.documents[digest]
        try:
            raw = self.store.read(digest)
        except (BlobNotFound, StoreDamaged):
            raise Missing from None
        found = self.documents[digest] = parse_document(raw, source=f"{self.name}@{digest}")
        return found

    def config(self, manifest: Manifest) -> Config:
        """Return a config that the store has, verified."""
        digest = manifest.config.digest
        try:
            return Config.parse(self.store.read(digest), f"{self.name}@{digest}")
        except (BlobNotFound, StoreDamaged):
            raise Missing from None

    def platform_of(self, manifest: Manifest) -> Platform:
        """Return the platform of a manifest whose index does not say it."""
        return self.config(manifest).platform

    def choose(self, root: Manifest | Index) -> Manifest:
        """Return the manifest that the request's platforms mean.

        Where the whole index is wanted and no platform was named, any image of it will do.
        Raises PlatformNotFound, LimitExceeded.
        """
        if isinstance(root, Manifest):
            return root
        platforms = self.request.platforms or (host_platform(),)
        try:
            return choose(root, platforms, self.read, self.platform_of, self.name)
        except PlatformNotFound:
            if self.request.platforms or not self.request.whole_index:
                raise
            images = [each for each in self.manifests(root) if each.config.media_type in CONFIGS]
            if not images:
                raise
            return images[0]

    def manifests(self, root: Manifest | Index) -> list[Manifest]:
        """Return all manifests of *root*."""
        if isinstance(root, Manifest):
            return [root]
        documents = every_document(root, self.read, self.name)
        return [each for each in documents if isinstance(each, Manifest)]

    def blobs(self, root: Manifest | Index, chosen: Manifest) -> list[Descriptor]:
        """Return all blobs to have: the chosen image's, its config first, then the others'."""
        blobs = [chosen.config, *chosen.layers]
        if self.request.whole_index:
            blobs += [blob for each in self.manifests(root) for blob in (each.config, *each.layers)]
        return blobs

    def fits(self, platform: Platform, root: Manifest | Index) -> bool:
        """Whether an image without an index is of a platform that was asked for by name."""
        named = self.request.platforms
        return isinstance(root, Index) or not named or platform in preferred(named)

    def held(self) -> Image | None:
        """Return the image when all of it is here under the name asked for, else None."""
        try:
            root = self.stored(self.digest)
            manifest = self.choose(root)
            if not self.store.has(manifest.config.digest):
                return None
            image = self.store.image(Selector.of((self.tags or [self.pin])[0]))
        except (Missing, ImageNotFound):
            return None
        if self.pin not in image.digests or image.manifest.digest != manifest.digest:
            return None
        if not self.fits(image.platform, root) or not self._has_rest(root):
            return None
        return replace(image, reference=self.request.reference)

    def is_whole(self) -> bool:
        """Whether all that a pull would bring is here, though perhaps without a name."""
        try:
            root = self.stored(self.digest)
            blobs = self.blobs(root, self.choose(root))
        except Missing:
            return False
        return self.is_of_repository() and all(self.store.has(blob.digest) for blob in blobs)

    def is_of_repository(self) -> bool:
        """Whether this repository is known to have the digest."""
        if self.is_remembered():
            return True
        try:
            self.store.image(Selector.of(self.pin))
        except ImageNotFound:
            return False
        return True

    def is_remembered(self) -> bool:
        """Whether a registry said or served the digest for this name."""
        said = map(self.store.remembered, (self.request.reference, self.pin))
        return any(each is not None and each[0] == self.digest for each in said)

    def _has_rest(self, root: Manifest | Index) -> bool:
        """Whether the other platforms are here too, where they are wanted."""
        if not self.request.whole_index:
            return True
        try:
            manifests = self.manifests(root)
        except Missing:
            return False
        wanted = (blob for each in manifests for blob in (each.config, *each.layers))
        return all(self.store.has(blob.digest) for blob in wanted)
