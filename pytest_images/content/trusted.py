"""Values made from the database's rows without checking them again.

What is in a row was checked when it was recorded; checking 10,000 images again would take
longer than reading them. What a list of images does not show is made at the first look.
`tests/content/test_trusted.py` holds these against the values' own constructors, field by field.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pytest_images.model.digest import Digest
from pytest_images.model.image import Image
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_images.model.frozen import FrozenMap
    from pytest_images.model.platform import Platform

# id, manifest, its size, content size, created (microseconds), kind, labels (JSON, empty for none)
Row = tuple[str, str, int, int | None, int | None, int, str]
Kind = tuple[str, str, str, str]  # media type of the manifest; os, architecture, variant
Names = dict[str, tuple[Reference, ...]]  # by the ID of the image they stand for
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT = 1 << 51  # microseconds, 71 years; half as far as a float of seconds tells them apart


def _draft(kind: type[Any]) -> Any:
    """Return a class with the slots of *kind* that lets them be filled.

    What is complete gets its real class: a fifth of the time that filling a frozen value takes.
    """
    return type(f"_{kind.__name__}", kind.__bases__, {"__slots__": kind.__slots__})


_Digest, _Reference, _Image = _draft(Digest), _draft(Reference), _draft(Image)
_SHA256 = len("sha256:") + 64  # characters


def digest(text: str) -> Digest:
    """Return the digest that *text* is."""
    value = _Digest()
    value.algorithm = "sha256" if len(text) == _SHA256 else "sha512"
    value.encoded = text[7:]  # both names are as long
    value.__class__ = Digest
    made: Digest = value
    return made


def reference(registry: str, repository: str, tag: str, pinned: str) -> Reference:
    """Return the name with these parts; empty means none."""
    value = _Reference()
    value.registry, value.repository = registry, repository
    value.tag = tag or None
    value.digest = digest(pinned) if pinned else None
    value.__class__ = Reference
    made: Reference = value
    return made


def sort_names(found: Iterable[tuple[str, str, str, str, str]], tags: Names, pinned: Names) -> None:
    """Add names (registry, repository, tag, digest, image) to those of their images."""
    for registry, repository, tag, digest_text, image in found:
        if image:
            group = pinned if digest_text else tags
            value = reference(registry, repository, tag, digest_text)
            group[image] = (*group[image], value) if image in group else (value,)


def images(
    rows: Iterable[Row],
    kinds: dict[int, Kind],
    tags: Names,
    pinned: Names,
    reference: Reference | None = None,
) -> list[Image]:
    """Return the images of these rows, with their tags and their pinned names."""
    fill = _Later(kinds).fill
    made: list[Image] = []
    moments: dict[int | None, datetime | None] = {None: None}  # many are as old as another
    for row in rows:
        id, created = row[0], row[4]
        if created is not None and created not in moments:
            moments[created] = moment(created)
        value = _Image()
        value.id = digest(id)
        value.reference = reference
        value.tags = tags.get(id, ())
        value.digests = pinned.get(id, ())
        value.created = moments[created]
        value.size = row[3]
        value._fill, value._source = fill, row
        value.__class__ = Image
        made.append(value)
    return made


class _Later:
    """Makes what images are not asked for at once; what they share is made once."""

    def __init__(self, kinds: dict[int, Kind]) -> None:
        self._kinds = kinds
        self._platforms: dict[int, Platform] = {}
        self._labels: dict[str, FrozenMap[str, str]] = {}

    def fill(self, image: Image, row: Row) -> None:
        """Fill the fields that `Image` leaves for later."""
        from pytest_images.model.descriptor import Descriptor

        media_type, *platform = self._kinds[row[5]]
        manifest = Descriptor(media_type, digest(row[1]), row[2])
        object.__setattr__(image, "manifest", manifest)
        object.__setattr__(image, "platform", self._platform(row[5], platform))
        object.__setattr__(image, "labels", self._labels_of(row[6]))

    def _platform(self, kind: int, words: list[str]) -> Platform:
        from pytest_images.model.platform import Platform

        if kind not in self._platforms:
            self._platforms[kind] = Platform(*words)
        return self._platforms[kind]

    def _labels_of(self, text: str) -> FrozenMap[str, str]:
        import json

        from pytest_images.model.frozen import FrozenMap

        if text not in self._labels:
            self._labels[text] = FrozenMap(json.loads(text or "{}"))
        return self._labels[text]


def moment(microseconds: int) -> datetime | None:
    """Return the time so many microseconds after 1970 began; None beyond the calendar."""
    if -_EXACT < microseconds < _EXACT:
        return datetime.fromtimestamp(microseconds / 1e6, UTC)  # two thirds of the time
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
