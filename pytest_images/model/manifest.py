"""The manifest of one platform and the index of many (OCI image-spec; Docker schema 2).

Both keep the bytes they were read from: those are stored, pushed and saved, never rewritten.
"""

from __future__ import annotations

from typing import Any, Self

from pytest_images.dataclass import dataclass
from pytest_images.errors import InvalidDocument, LimitExceeded, NotAnImage
from pytest_images.model import media_types
from pytest_images.model.descriptor import Descriptor
from pytest_images.model.digest import Digest
from pytest_images.model.documents import exact_fields, load_object

LAYER_LIMIT = 256
INDEX_LIMIT = 1000  # manifests in one index
INDEX_DEPTH_LIMIT = 4  # indexes inside indexes
_FIELDS = frozenset(
    {
        "schemaVersion",
        "mediaType",
        "artifactType",
        "config",
        "layers",
        "manifests",
        "fsLayers",
        "subject",
        "annotations",
    }
)
_LAYER_PREFIXES = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image for one platform: its config and its layers, lowest first.

    >>> Manifest.parse(b'{"schemaVersion": 1, "fsLayers": []}')
    Traceback (most recent call last):
        ...
    pytest_images.errors.InvalidDocument: manifest: invalid document: schemaVersion 1 is not 2
    """

    raw: bytes
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]

    @classmethod
    def parse(cls, raw: bytes, media_type: str = "", source: str = "manifest") -> Self:
        """Read a manifest; *media_type* is what a descriptor or header claims ("" for none).

        Raises InvalidDocument, NotAnImage, LimitExceeded.
        """
        return cls._from(load_object(raw, source), raw, media_type, source)

    @classmethod
    def _from(cls, document: dict[str, Any], raw: bytes, media_type: str, source: str) -> Self:
        actual = _media_type(document, media_type, source)
        if actual not in media_types.MANIFESTS:
            raise InvalidDocument(source, f"{actual} is not the media type of a manifest")
        config = Descriptor.from_json(document.get("config"), source)
        listed = document.get("layers")
        if not isinstance(listed, list):
            raise InvalidDocument(source, "layers is not a list")
        if len(listed) > LAYER_LIMIT:
            raise LimitExceeded(source, "number of layers", LAYER_LIMIT)
        return cls(raw, actual, config, tuple(Descriptor.from_json(d, source) for d in listed))

    def require_image(self, source: str) -> None:
        """Raise NotAnImage unless config and layers are those of a container image."""
        if self.config.media_type not in media_types.CONFIGS:
            raise NotAnImage(source, f"its config is {self.config.media_type or 'untyped'}")
        for layer in self.layers:
            if not layer.media_type.startswith(_LAYER_PREFIXES):
                raise NotAnImage(source, f"it has a layer that is {layer.media_type or 'untyped'}")

    @property
    def digest(self) -> Digest:
        """The digest of the manifest's bytes (sha256)."""
        return Digest.of(self.raw)

    @property
    def descriptor(self) -> Descriptor:
        """What points to this manifest."""
        return Descriptor(self.media_type, self.digest, len(self.raw))


@dataclass(frozen=True, slots=True)
class Index:
    """Many manifests, one a platform."""

    raw: bytes
    media_type: str
    manifests: tuple[Descriptor, ...]

    @classmethod
    def parse(cls, raw: bytes, media_type: str = "", source: str = "index") -> Self:
        """Read an index; arguments and errors as for `Manifest.parse`."""
        return cls._from(load_object(raw, source), raw, media_type, source)

    @classmethod
    def _from(cls, document: dict[str, Any], raw: bytes, media_type: str, source: str) -> Self:
        actual = _media_type(document, media_type, source)
        if actual not in media_types.INDEXES:
            raise InvalidDocument(source, f"{actual} is not the media type of an index")
        listed = document.get("manifests")
        if not isinstance(listed, list):
            raise InvalidDocument(source, "manifests is not a list")
        if len(listed) > INDEX_LIMIT:
            raise LimitExceeded(source, "number of manifests", INDEX_LIMIT)
        return cls(raw, actual, tuple(Descriptor.from_json(d, source) for d in listed))

    @property
    def digest(self) -> Digest:
        """The digest of the index's bytes (sha256)."""
        return Digest.of(self.raw)

    @property
    def descriptor(self) -> Descriptor:
        """What points to this index."""
        return Descriptor(self.media_type, self.digest, len(self.raw))


def parse_document(raw: bytes, media_type: str = "", source: str = "manifest") -> Manifest | Index:
    """Read a manifest or an index: the bytes decide which, a claim that differs is refused."""
    document = load_object(raw, source)
    kind = _media_type(document, media_type, source)
    reader = Index if kind in media_types.INDEXES else Manifest
    return reader._from(document, raw, media_type, source)


def _media_type(document: dict[str, Any], claimed: str, source: str) -> str:
    """Decide the media type from the content; refuse a document that can be read two ways."""
    exact_fields(document, _FIELDS, source)
    version = document.get("schemaVersion")
    if type(version) is not int or version != 2:
        raise InvalidDocument(source, f"schemaVersion {version!r} is not 2")
    has_layers = "layers" in document or "config" in document or "fsLayers" in document
    if has_layers and "manifests" in document:
        raise InvalidDocument(source, "it has both layers and manifests")
    known = media_types.MANIFESTS if has_layers else media_types.INDEXES
    stated = document.get("mediaType", "")
    if not isinstance(stated, str):
        raise InvalidDocument(source, "mediaType is not text")
    claimed = claimed.partition(";")[0].strip()
    for text in filter(None, (stated, claimed)):
        both = media_types.MANIFESTS | media_types.INDEXES
        if text in both and text not in known:
            raise InvalidDocument(source, f"its content contradicts the media type {text}")
    if stated:
        return stated
    if claimed in known:
        return claimed
    return media_types.OCI_MANIFEST if has_layers else media_types.OCI_INDEX
