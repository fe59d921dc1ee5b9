"""`save`: images as one archive, under the names they were asked for by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.archive.save import Chosen, save_archive
from pytest_images.dataclass import replace
from pytest_images.engine.choose import choose, every_document
from pytest_images.engine.sizes import facts_of, manifest_of
from pytest_images.errors import BlobNotFound, ImageNotFound, PlatformNotFound
from pytest_images.model.manifest import Index, Manifest, parse_document
from pytest_images.model.media_types import INDEXES
from pytest_images.model.progress import Phase, Progress
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.config import Config
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.request.save import SaveRequest


def save(images: Images, store: Store, request: SaveRequest) -> tuple[Image, ...]:
    """Write the images that *request* names into its stream; returns them.

    A tag is written as the image's name, an ID or digest gives it none; a repository alone
    stands for all its tags. An index that is here whole is kept, unless platforms are asked
    for. Nothing is written before all of it was found. Raises ImageNotFound, AmbiguousImage,
    PlatformNotFound, BlobNotFound, InvalidUsage, StoreDamaged; OSError from the stream.
    """
    subject = ", ".join(map(str, request.images))
    images.progress(Progress("save", subject, phase=Phase.STARTED))
    found = [image for selector in request.images for image in _found(store, selector)]

    def done(member: str, size: int) -> None:
        images.progress(Progress("save", subject, member, Phase.DONE, size, size, kind="member"))

    def tar_size(layer: Digest, diff_id: Digest) -> int:
        return facts_of(store, layer, diff_id).tar_size

    with store.lease() as lease:
        chosen = [_Choice(store, lease, image).of(request.platforms) for image in found]
        save_archive(
            _merged(chosen), request.stream, store, request.form, tar_size=tar_size, done=done
        )
    images.progress(Progress("save", subject, phase=Phase.DONE))
    return tuple(found)


def _found(store: Store, selector: Selector) -> Iterator[Image]:
    """Yield the images that *selector* means, each with the tag it was named by, or None."""
    bare = _repository(selector)
    if bare is None:
        yield _nameless_unless_tagged(store.image(selector))
        return
    listed = [image for image in store.images() if _names_in(image, bare)]
    for image in listed:
        tags = [tag for tag in image.tags if tag.name == bare.name]
        for tag in tags:
            yield store.image(Selector.of(tag))
        if not tags:
            yield replace(image, reference=None)
    if not listed:
        yield _by_id(store, selector, bare)


def _repository(selector: Selector) -> Reference | None:
    """Return the name that *selector* gives if it is a repository without tag and digest."""
    if selector.reference is None:
        return None
    bare = Reference.parse_bare(selector.text)
    return bare if bare.tag is None and bare.digest is None else None


def _names_in(image: Image, bare: Reference) -> bool:
    return any(name.name == bare.name for name in (*image.tags, *image.digests))


def _by_id(store: Store, selector: Selector, bare: Reference) -> Image:
    """Return the image whose ID begins so: no repository has that name."""
    if selector.id_prefix is None:
        error = ImageNotFound(bare.familiar)
        error.add_note("`pytest-images ls` lists what is here; pull or load it first.")
        raise error
    return store.image(Selector(selector.text, None, selector.id_prefix))


def _nameless_unless_tagged(image: Image) -> Image:
    name = image.reference
    return image if name is None or name.digest is None else replace(image, reference=None)


class _Choice:
    """One image, and what of its index is wanted with it."""

    def __init__(self, store: Store, lease: Lease, image: Image) -> None:
        self._store, self._lease, self._image = store, lease, image
        self._name = image.reference.familiar if image.reference else str(image.id)

    def of(self, platforms: Sequence[Platform]) -> Chosen:
        """Return what to write. Raises PlatformNotFound, BlobNotFound."""
        index = self._index()
        wanted = list(dict.fromkeys(platforms))
        if index is None or wanted == [self._image.platform]:
            if wanted and self._image.platform not in wanted:
                raise self._missing(wanted, index)
            return self._alone(manifest_of(self._store, self._image))
        if wanted:
            return self._part(index, wanted)
        return self._whole(index) or self._alone(manifest_of(self._store, self._image))

    def _alone(self, manifest: Manifest) -> Chosen:
        self._hold(manifest)
        return Chosen(manifest, self._config(manifest), manifest, (manifest,), self._names)

    def _whole(self, index: Index) -> Chosen | None:
        """Return the image with its index, None where not all of that is here."""
        try:
            documents: tuple[Manifest | Index, ...]
            documents = (index, *every_document(index, self._read, self._name))
        except BlobNotFound:
            return None
        if self._image.digest not in {each.digest for each in documents}:
            return None  # this name stands for another manifest of the same image
        if not all([self._hold(document) for document in documents]):
            return None
        manifest = manifest_of(self._store, self._image)
        return Chosen(manifest, self._config(manifest), index, documents, self._names)

    def _part(self, index: Index, wanted: Sequence[Platform]) -> Chosen:
        """Return the image for one platform alone, for several with its index."""
        found = [self._manifest_for(index, platform) for platform in wanted]
        if len(found) == 1:
            return self._alone(found[0])
        documents: tuple[Manifest | Index, ...] = (*self._indexes(index), *found)
        for document in documents:
            self._hold(document)
        first = next((each for each in found if each.digest == self._image.digest), found[0])
        return Chosen(first, self._config(first), index, documents, self._names)

    def _indexes(self, index: Index) -> list[Index]:
        """Return *index* and those below it that are here."""
        found = [index]
        for each in index.manifests:
            if each.media_type in INDEXES and self._store.has(each.digest):
                child = self._read(each)
                found += self._indexes(child) if isinstance(child, Index) else []
        return found

    def _manifest_for(self, index: Index, platform: Platform) -> Manifest:
        try:
            return choose(index, [platform], self._read, self._platform_of, self._name)
        except BlobNotFound as error:
            error.add_note(f"pull {self._name} with the whole index to have all platforms")
            raise

    @property
    def _names(self) -> tuple[Reference, ...]:
        return (self._image.reference,) if self._image.reference else ()

    def _index(self) -> Index | None:
        """Return the index that the image came from, where it came from one."""
        try:
            return self._store.index_of(self._image.id)
        except BlobNotFound:
            return None

    def _read(self, descriptor: Descriptor) -> Manifest | Index:
        raw = self._store.read(descriptor.digest)
        return parse_document(raw, descriptor.media_type, f"{self._name}: {descriptor.digest}")

    def _config(self, manifest: Manifest) -> Config:
        from pytest_images.model.config import Config

        source = f"{self._name}: config"
        config = Config.parse(self._store.read(manifest.config.digest), source)
        config.require_layers_of(manifest, source)
        return config

    def _platform_of(self, manifest: Manifest) -> Platform:
        return self._config(manifest).platform

    def _hold(self, document: Manifest | Index) -> bool:
        """Keep a document and its blobs from the collector; says whether all are here."""
        blobs = [document.digest]
        if isinstance(document, Manifest):
            blobs += [document.config.digest, *(layer.digest for layer in document.layers)]
        for digest in blobs:
            self._lease.hold(digest)
        return all(self._store.has(digest) for digest in blobs)

    def _missing(self, wanted: Sequence[Platform], index: Index | None) -> PlatformNotFound:
        offered = {str(self._image.platform)}
        if index is not None:
            offered |= {str(each.platform) for each in index.manifests if each.platform}
        return PlatformNotFound(self._name, ", ".join(map(str, wanted)), sorted(offered))


def _merged(chosen: Sequence[Chosen]) -> list[Chosen]:
    """Put the names of one image together, each once, in their order."""
    merged: dict[tuple[Digest, Digest], Chosen] = {}
    for item in chosen:
        key = item.root.digest, item.manifest.digest
        before = merged.get(key)
        names = {*item.references, *(before.references if before else ())}
        merged[key] = replace(item, references=tuple(sorted(names)))
    return list(merged.values())
