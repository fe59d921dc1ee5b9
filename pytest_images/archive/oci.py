"""OCI archives and layouts: ``index.json`` and blobs by digest (image-spec, image-layout.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.archive.choice import choose, is_image
from pytest_images.archive.found import Candidate, name_of
from pytest_images.archive.shelf import Shelf, blob_path
from pytest_images.errors import (
    InvalidArchive,
    InvalidReference,
    LimitExceeded,
    NotAnImage,
    SizeMismatch,
)
from pytest_images.model import media_types
from pytest_images.model.config import Config
from pytest_images.model.documents import load_object
from pytest_images.model.manifest import INDEX_DEPTH_LIMIT, Index, Manifest, parse_document
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.model.platform import Platform

INDEX = "index.json"
LAYOUT = "oci-layout"
NAME = "io.containerd.image.name"  # a full name: containerd, docker 25 and newer, BuildKit
REF_NAME = "org.opencontainers.image.ref.name"  # podman, skopeo, buildah: a name; others: a tag
DOCUMENTS_LIMIT = 16 << 20  # bytes of all manifests, indexes and configs of one archive
MANIFESTS_LIMIT = 1000  # of one archive


def candidates(shelf: Shelf, wanted: Sequence[Platform], host: Platform) -> list[Candidate]:
    """Read the images of a layout, of each index the platforms *wanted*.

    Raises InvalidArchive, InvalidDocument, NotAnImage, InvalidReference, PlatformNotFound,
    DigestMismatch, SizeMismatch, LimitExceeded.
    """
    _check_version(shelf)
    top = Index.parse(shelf.document(INDEX), media_types.OCI_INDEX, f"{shelf.name}: {INDEX}")
    if not top.manifests:
        raise InvalidArchive(shelf.name, f"its {INDEX} lists no image")
    documents = _Documents(shelf)
    groups: dict[str, list[Candidate]] = {}
    found: list[Candidate] = []
    for entry in filter(_may_be_image, top.manifests):
        images, reference = documents.images(entry), _reference(entry, shelf.name)
        if images[0].index is not None:
            found += _named(choose(images, wanted, host, str(reference or shelf.name)), reference)
        elif reference is not None:
            groups.setdefault(str(reference), []).extend(images)
        elif not wanted or images[0].platform in wanted:
            found += images
    for name, same in groups.items():
        # One name for several manifests: they are its platforms.
        found += _named(choose(same, wanted, host, name), Reference.parse(name))
    if not found:
        raise InvalidArchive(shelf.name, "it holds no image, or none of the platforms wanted")
    return _merged(found)


def _may_be_image(entry: Descriptor) -> bool:
    return is_image(entry.platform, entry.annotations)


def _named(chosen: Sequence[Candidate], reference: Reference | None) -> list[Candidate]:
    """Give the name to the first one chosen: a name stands for one image."""
    first, *others = chosen
    return [first.named([reference]) if reference else first, *others]


def _merged(found: Sequence[Candidate]) -> list[Candidate]:
    """Put the names of one image together: each name has an entry of its own in index.json."""
    merged: dict[tuple[Digest, Digest | None], Candidate] = {}
    for item in found:
        key = item.manifest.digest, item.index.digest if item.index else None
        merged[key] = merged.get(key, item).named(item.references)
    return list(merged.values())


def _check_version(shelf: Shelf) -> None:
    """Refuse a layout of another major version; skopeo 1.9 and older may leave the file out."""
    if LAYOUT not in shelf:
        return
    source = f"{shelf.name}: {LAYOUT}"
    version = load_object(shelf.document(LAYOUT, 1 << 16), source).get("imageLayoutVersion")
    if not isinstance(version, str) or not version.startswith("1."):
        raise InvalidArchive(shelf.name, f"its layout version {version!r} is not 1")


def _reference(entry: Descriptor, archive: str) -> Reference | None:
    """Return the name that an entry's annotations give the image, if they do.

    A reference name alone is read as podman reads it, as a whole name (``latest`` gets the
    tag ``latest``); the specification lets it be anything, so what is no name gives none.
    """
    if name := entry.annotations.get(NAME):
        return name_of(name, archive)
    text = entry.annotations.get(REF_NAME, "")
    try:
        reference = Reference.parse(text)
    except InvalidReference:
        return None
    return reference if reference.digest is None else None


class _Documents:
    """Reads manifests, indexes and configs, each once, all together within limits."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._bytes = 0
        self._count = 0
        self._seen: set[Digest] = set()

    def images(self, entry: Descriptor) -> list[Candidate]:
        """Return the images that an entry of ``index.json`` stands for."""
        document = self._document(entry)
        if isinstance(document, Manifest):
            return [self._candidate(document, None)]
        self._seen = set()
        found = self._below(document, document, 1)
        if not found:
            raise NotAnImage(f"{self._shelf.name}: {entry.digest}", "its index lists no image")
        return found

    def _below(self, index: Index, outermost: Index, depth: int) -> list[Candidate]:
        """Return the images of *index*, each digest visited once however often it is listed."""
        if depth > INDEX_DEPTH_LIMIT:
            raise LimitExceeded(self._shelf.name, "depth of nested indexes", INDEX_DEPTH_LIMIT)
        found: list[Candidate] = []
        for entry in index.manifests:
            if entry.digest in self._seen or not _may_be_image(entry):
                continue
            self._seen.add(entry.digest)
            if self._shelf.is_whole and blob_path(entry.digest) not in self._shelf:
                continue  # docker saves an index with the manifests it has, not all of them
            document = self._document(entry)
            if isinstance(document, Index):
                found += self._below(document, outermost, depth + 1)
            else:
                found.append(self._candidate(document, outermost))
        return found

    def _candidate(self, manifest: Manifest, index: Index | None) -> Candidate:
        source = f"{self._shelf.name}: {manifest.digest}"
        manifest.require_image(source)
        config = Config.parse(self._raw(manifest.config), f"{self._shelf.name}: config")
        config.require_layers_of(manifest, source)
        layers = tuple(blob_path(layer.digest) for layer in manifest.layers)
        return Candidate(manifest, config, layers, (), index)

    def _document(self, entry: Descriptor) -> Manifest | Index:
        self._count += 1
        if self._count > MANIFESTS_LIMIT:
            raise LimitExceeded(self._shelf.name, "number of manifests", MANIFESTS_LIMIT)
        return parse_document(
            self._raw(entry), entry.media_type, f"{self._shelf.name}: {entry.digest}"
        )

    def _raw(self, descriptor: Descriptor) -> bytes:
        """Return a document's bytes: the shelf verified them against the digest in their path."""
        path = blob_path(descriptor.digest)
        raw = self._shelf.document(path)
        if len(raw) != descriptor.size:
            raise SizeMismatch(descriptor.size, len(raw), f"{self._shelf.name}: {path}")
        self._bytes += len(raw)
        if self._bytes > DOCUMENTS_LIMIT:
            raise LimitExceeded(self._shelf.name, "documents in bytes", DOCUMENTS_LIMIT)
        return raw
