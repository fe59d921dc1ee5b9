"""Values made from the database's rows without checking them again.

What is in a row was checked when it was recorded; checking 10,000 images again would take
longer than reading them. `tests/content/test_trusted.py` holds these against the values' own
constructors, field by field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_images.model.descriptor import Descriptor
from pytest_images.model.digest import Digest
from pytest_images.model.image import Image
from pytest_images.model.platform import Platform
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


def _setters(kind: type[Any], *names: str) -> list[Any]:
    """The slots of a frozen class, as functions that fill them."""
    return [kind.__dict__[name].__set__ for name in names]


_set_algorithm, _set_encoded = _setters(Digest, "algorithm", "encoded")
_set_registry, _set_repository, _set_tag, _set_digest = _setters(
    Reference, "registry", "repository", "tag", "digest"
)
_set_os, _set_architecture, _set_variant = _setters(Platform, "os", "architecture", "variant")
_set_media_type, _set_content, _set_size, _set_platform, _set_annotations, _set_urls = _setters(
    Descriptor, "media_type", "digest", "size", "platform", "annotations", "urls"
)
_image_setters = _setters(
    Image,
    *("id", "manifest", "platform", "reference", "tags", "digests", "created", "size", "labels"),
)
_new: Callable[[type[Any]], Any] = object.__new__


def digest(text: str) -> Digest:
    """Return the digest that *text* is."""
    algorithm, _, encoded = text.partition(":")
    value: Digest = _new(Digest)
    _set_algorithm(value, algorithm)
    _set_encoded(value, encoded)
    return value


def reference(registry: str, repository: str, tag: str, pinned: str) -> Reference:
    """Return the name with these parts; empty means none."""
    value: Reference = _new(Reference)
    _set_registry(value, registry)
    _set_repository(value, repository)
    _set_tag(value, tag or None)
    _set_digest(value, digest(pinned) if pinned else None)
    return value


def platform(os: str, architecture: str, variant: str) -> Platform:
    """Return a platform that is normalised already."""
    value: Platform = _new(Platform)
    _set_os(value, os)
    _set_architecture(value, architecture)
    _set_variant(value, variant)
    return value


def descriptor(media_type: str, content: str, size: int) -> Descriptor:
    """Return a plain descriptor."""
    value: Descriptor = _new(Descriptor)
    _set_media_type(value, media_type)
    _set_content(value, digest(content))
    _set_size(value, size)
    _set_platform(value, None)
    _set_annotations(value, {})
    _set_urls(value, ())
    return value


def image(
    *fields: Digest
    | Descriptor
    | Platform
    | Reference
    | tuple[Reference, ...]
    | datetime
    | int
    | dict[str, str]
    | None,
) -> Image:
    """Return an image with these fields, in the order in which `Image` has them."""
    value: Image = _new(Image)
    for fill, field in zip(_image_setters, fields, strict=True):
        fill(value, field)
    return value
