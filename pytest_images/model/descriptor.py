"""A pointer to content: media type, digest and size (OCI image-spec, descriptor.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pytest_images.dataclass import dataclass, field
from pytest_images.errors import InvalidDigest, InvalidDocument, InvalidPlatform, LimitExceeded
from pytest_images.model.digest import Digest
from pytest_images.model.documents import exact_fields
from pytest_images.model.frozen import FrozenMap
from pytest_images.model.platform import UNKNOWN, Platform

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE_LIMIT = 1 << 62  # bytes; what a signed 64-bit offset can still address with room
URL_LIMIT = 64
# The digests of no bytes, written out: hashing is not imported for it.
_EMPTY = (
    Digest("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    Digest(
        "sha512",
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ),
)
_FIELDS = frozenset(
    {"mediaType", "digest", "size", "urls", "annotations", "data", "platform", "artifactType"}
)
_PLATFORM_FIELDS = frozenset(
    {"os", "architecture", "variant", "os.version", "os.features", "features"}
)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Where content is: its media type, digest and size in bytes.

    ``urls`` are where a foreign layer says it can be had; nothing follows them unasked.

    >>> Descriptor("text/plain", Digest.of(b"hi"), 2).to_json()["size"]
    2
    """

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=FrozenMap)
    urls: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if type(self.size) is not int or not 0 <= self.size <= SIZE_LIMIT:
            raise InvalidDocument(str(self.digest), f"the size {self.size!r} is not a byte count")
        object.__setattr__(self, "annotations", FrozenMap(self.annotations))

    @classmethod
    def from_json(cls, document: object, source: str) -> Self:
        """Read a descriptor; *source* names the document it stands in, for the error."""
        if not isinstance(document, dict):
            raise InvalidDocument(source, "a descriptor is not an object")
        exact_fields(document, _FIELDS, source)
        digest, size = document.get("digest"), document.get("size")
        if not isinstance(digest, str):
            raise InvalidDocument(source, "a descriptor has no digest")
        if type(size) is not int or not 0 <= size <= SIZE_LIMIT:
            raise InvalidDocument(source, f"the size of {digest} is not a byte count")
        try:
            parsed = Digest.parse(digest)
        except InvalidDigest as error:
            raise InvalidDocument(source, str(error)) from error
        if (size == 0) != (parsed in _EMPTY):
            raise InvalidDocument(source, f"{size} bytes cannot have the digest {digest}")
        return cls(
            media_type=_text(document, "mediaType", source),
            digest=parsed,
            size=size,
            platform=platform_from_json(document.get("platform"), source),
            annotations=annotations_from_json(document.get("annotations"), source),
            urls=_texts(document.get("urls"), source),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the descriptor as its specification writes it."""
        document: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": self.size,
        }
        if self.urls:
            document["urls"] = list(self.urls)
        if self.annotations:
            document["annotations"] = dict(self.annotations)
        if self.platform is not None:
            document["platform"] = platform_to_json(self.platform)
        return document


def platform_from_json(document: object, source: str) -> Platform | None:
    """Read a ``platform`` object; None and empty names give None: look into the config.

    Words that no platform has give `UNKNOWN`, which no host matches: one odd entry must
    not make the other images of an index unusable.
    """
    if document is None:
        return None
    if not isinstance(document, dict):
        raise InvalidDocument(source, "a platform is not an object")
    exact_fields(document, _PLATFORM_FIELDS, source)
    os, architecture = document.get("os") or "", document.get("architecture") or ""
    variant = document.get("variant") or ""
    if not all(isinstance(part, str) for part in (os, architecture, variant)):
        raise InvalidDocument(source, "a platform's fields are not text")
    if not os or not architecture:
        return None
    try:
        return Platform(os, architecture, variant)
    except InvalidPlatform:
        return UNKNOWN


def platform_to_json(platform: Platform) -> dict[str, str]:
    """Return a ``platform`` object as an index writes it."""
    document = {"architecture": platform.architecture, "os": platform.os}
    if platform.variant:
        document["variant"] = platform.variant
    return document


def annotations_from_json(document: object, source: str) -> dict[str, str]:
    """Read an ``annotations`` or ``Labels`` object: text to text."""
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(v, str) for v in document.values()):
        raise InvalidDocument(source, "annotations are not a map of text to text")
    return document


def _text(document: Mapping[str, object], key: str, source: str) -> str:
    value = document.get(key, "")
    if not isinstance(value, str):
        raise InvalidDocument(source, f"{key} is not text")
    return value


def _texts(value: object, source: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidDocument(source, "urls is not a list of text")
    if len(value) > URL_LIMIT:
        raise LimitExceeded(source, "number of URLs", URL_LIMIT)
    return tuple(value)
