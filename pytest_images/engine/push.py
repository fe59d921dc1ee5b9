"""`push`: what a name stands for into its registry, every document byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.engine.choose import every_document, is_attestation
from pytest_images.engine.packing import packed
from pytest_images.errors import (
    BlobNotFound,
    Conflict,
    ImageNotFound,
    InvalidUsage,
    PlatformNotFound,
)
from pytest_images.model.endpoint import Access
from pytest_images.model.image import Pushed
from pytest_images.model.manifest import Index, Manifest, parse_document
from pytest_images.registry.endpoints import first_served

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.endpoint import Endpoint
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference
    from pytest_images.model.request.push import PushRequest
    from pytest_images.registry.client import Client


def push(images: Images, store: Store, client: Client, request: PushRequest) -> tuple[Pushed, ...]:
    """Put the names of *request* and all they stand for into their registry.

    Raises ImageNotFound, PlatformNotFound, Conflict (no index to push whole), BlobNotFound (a
    platform of it is not here), AuthError, RegistryError, DigestMismatch, Unreachable.
    """
    if request.reference.is_pinned:
        reason = "a digest cannot be pushed to: name a tag"
        raise InvalidUsage(str(request.reference), reason)
    names = _tags(store, request.reference) if request.all_tags else [request.reference]
    return tuple(_one(images, store, client, request, name) for name in names)


def _tags(store: Store, reference: Reference) -> list[Reference]:
    """Return every tag of the repository that is here."""
    named = {tag for image in store.images() for tag in image.tags if tag.name == reference.name}
    if not named:
        raise ImageNotFound(reference.familiar_name)
    return sorted(named)


def _one(
    images: Images, store: Store, client: Client, request: PushRequest, name: Reference
) -> Pushed:
    with store.lease() as lease:
        image = packed(store, lease, name)
        tree = _tree(store, image, request, name)
        for each in tree:
            lease.hold(each.digest)
        sources = _other_repositories(image, name)
        manifests = [each for each in tree if isinstance(each, Manifest)]

        def put(endpoint: Endpoint) -> None:
            going = client.push(endpoint, name, store, sources)
            going.blobs(blob for each in manifests for blob in (each.config, *each.layers))
            for child in tree[:-1]:
                going.document(child, str(child.digest))
            going.document(tree[-1], str(name.tag))

        first_served(name, images.endpoints(name, Access.PUSH), Access.PUSH, put)
        _remember(store, image, tree[-1], name)
    return Pushed(name, tree[-1].descriptor)


def _tree(
    store: Store, image: Image, request: PushRequest, name: Reference
) -> list[Manifest | Index]:
    """Return the documents to put, those that others name first, the tag's own last."""
    if request.whole_index:
        index = store.index_of(image.id)
        if index is None:
            error = Conflict(name.familiar, "it did not come with an index that could be pushed")
            error.add_note("pull it with the whole index first, or push the image alone")
            raise error
        return [*every_document(index, _reader(store, name), name.familiar), index]
    if request.platform is None or image.platform == request.platform:
        return [_manifest(store, image)]
    return [_of_platform(store, image, request.platform, name)]


def _manifest(store: Store, image: Image) -> Manifest:
    """Return the manifest that the name stands for: two may share one image ID."""
    digest = image.manifest.digest
    return Manifest.parse(store.read(digest), source=str(digest))


def _of_platform(store: Store, image: Image, platform: Platform, name: Reference) -> Manifest:
    """Return the manifest for exactly *platform*, from the index that the image came with."""
    index = store.index_of(image.id)
    read = _reader(store, name)
    entries = [each for each in index.manifests if not is_attestation(each)] if index else []
    for descriptor in entries:
        found = read(descriptor) if descriptor.platform == platform else None
        if isinstance(found, Manifest):
            return found
    offered = {str(image.platform), *(str(each.platform) for each in entries if each.platform)}
    raise PlatformNotFound(name.familiar, str(platform), sorted(offered))


def _reader(store: Store, name: Reference) -> Callable[[Descriptor], Manifest | Index]:
    """Return what reads an index's documents from the store, and says how to get the others."""

    def read(descriptor: Descriptor) -> Manifest | Index:
        try:
            return parse_document(store.read(descriptor.digest), descriptor.media_type)
        except BlobNotFound as error:
            error.add_note(f"pull {name.familiar} with the whole index to have all platforms")
            raise

    return read


def _other_repositories(image: Image, name: Reference) -> tuple[str, ...]:
    """Return repositories of the same registry that may have the blobs already."""
    known = {each.repository for each in (*image.tags, *image.digests) if _beside(each, name)}
    return tuple(sorted(known))


def _beside(one: Reference, other: Reference) -> bool:
    return one.registry == other.registry and one.repository != other.repository


def _remember(store: Store, image: Image, root: Manifest | Index, name: Reference) -> None:
    """Note under which digest the repository has the image now, as Docker's RepoDigests do."""
    pin = name.with_tag(None).with_digest(root.digest)
    index, manifest = store.index_of(image.id), _manifest(store, image)
    known = {manifest.digest} | ({index.digest} if index else set())
    if pin not in image.digests and root.digest in known:
        config = store.config_of(image.id)
        store.add(manifest, config, pinned=[pin], index=index.digest if index else None)
    store.remember(name, root.digest)
