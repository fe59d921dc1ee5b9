"""Values made from the database's rows without checking them again.

What is in a row was checked when it was recorded; checking 10,000 images again would take
longer than reading them. `tests/content/test_trusted.py` holds these against the values' own
constructors, field by field.
"""

from __future__ import annotations

import gc
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_images.model.descriptor import Descriptor
from pytest_images.model.digest import Digest
from pytest_images.model.frozen import FrozenMap
from pytest_images.model.image import Image
from pytest_images.model.platform import Platform
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# id, manifest, its media type and size, content size, created (microseconds), os,
# architecture, variant, labels (JSON, empty for none)
Row = tuple[str, str, str, int, int | None, int | None, str, str, str, str]
Names = tuple[tuple[Reference, ...], tuple[Reference, ...]]  # tags, pinned ones
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
(
    _set_id,
    _set_manifest,
    _set_on,
    _set_reference,
    _set_tags,
    _set_digests,
    _set_created,
    _set_bytes,
    _set_labels,
) = _setters(
    Image,
    *("id", "manifest", "platform", "reference", "tags", "digests", "created", "size", "labels"),
)
_NOTHING: FrozenMap[str, str] = FrozenMap()
_new: Callable[[type[Any]], Any] = object.__new__


def digest(text: str) -> Digest:
    """Return the digest that *text* is."""
    value: Digest = _new(Digest)
    _set_algorithm(value, text[:6])  # sha256 or sha512, both as long
    _set_encoded(value, text[7:])
    return value


def reference(registry: str, repository: str, tag: str, pinned: str) -> Reference:
    """Return the name with these parts; empty means none."""
    value: Reference = _new(Reference)
    _set_registry(value, registry)
    _set_repository(value, repository)
    _set_tag(value, tag or None)
    _set_digest(value, digest(pinned) if pinned else None)
    return value


def sort_names(
    found: list[tuple[str, str, str, str, str]],
    tags: dict[str, list[Reference]],
    pinned: dict[str, list[Reference]],
) -> None:
    """Add names (registry, repository, tag, digest, image) to those of their images."""
    for registry, repository, tag, digest_text, image in found:
        if image:
            value = reference(registry, repository, tag, digest_text)
            group = pinned if digest_text else tags
            if image in group:
                group[image].append(value)
            else:
                group[image] = [value]


class Maker:
    """Makes many images; what they share is made once."""

    def __init__(self) -> None:
        self._platforms: dict[tuple[str, str, str], Platform] = {}
        self._labels: dict[str, FrozenMap[str, str]] = {"": _NOTHING}

    def image(self, row: Row, names: Names, reference: Reference | None = None) -> Image:
        """Return the image of a row, with its tags and its pinned names."""
        id, manifest, media_type, size, content_size, created, os, architecture, variant, text = row
        pointer: Descriptor = _new(Descriptor)
        _set_media_type(pointer, media_type)
        _set_content(pointer, digest(manifest))
        _set_size(pointer, size)
        _set_platform(pointer, None)
        _set_annotations(pointer, _NOTHING)
        _set_urls(pointer, ())
        labels = self._labels.get(text)
        if labels is None:
            labels = self._labels[text] = FrozenMap(json.loads(text))
        key = (os, architecture, variant)
        value: Image = _new(Image)
        _set_id(value, digest(id))
        _set_manifest(value, pointer)
        _set_on(value, self._platforms.get(key) or self._platform(key))
        _set_reference(value, reference)
        _set_tags(value, names[0])
        _set_digests(value, names[1])
        _set_created(value, None if created is None else moment(created))
        _set_bytes(value, content_size)
        _set_labels(value, labels)
        return value

    def _platform(self, key: tuple[str, str, str]) -> Platform:
        value: Platform = _new(Platform)
        _set_os(value, key[0])
        _set_architecture(value, key[1])
        _set_variant(value, key[2])
        self._platforms[key] = value
        return value


def moment(microseconds: int) -> datetime | None:
    """Return the time so many microseconds after 1970 began; None beyond the calendar."""
    try:
        return EPOCH + timedelta(0, 0, microseconds)
    except OverflowError:
        return None


@contextmanager
def undisturbed() -> Iterator[None]:
    """Make many values without the cycle collector: there are none, and looking costs a third."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
