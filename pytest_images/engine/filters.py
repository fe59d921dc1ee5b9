"""The filters of `ls`, as Docker's daemon applies them (``docker image ls --filter``)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_images.dataclass import replace
from pytest_images.engine.globs import matcher
from pytest_images.engine.moments import moment
from pytest_images.errors import InvalidUsage
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_images.content.store import Store
    from pytest_images.model.image import Image

    Test = Callable[[Image], bool]

KEYS = ("dangling", "label", "label!", "before", "since", "until", "reference")
_NEVER = datetime.min.replace(tzinfo=UTC)  # Docker's time of an image that states none
_TRUE, _FALSE = ("true", "1", "True", "TRUE", "t", "T"), ("false", "0", "False", "FALSE", "f", "F")


def filtered(
    store: Store, images: Iterable[Image], filters: Iterable[tuple[str, str]]
) -> list[Image]:
    """Return those of *images* that all *filters* let through, with the names they matched.

    Several ``reference`` patterns widen the choice, everything else narrows it; an image is
    left out by ``label!`` when all of those labels are on it. Raises InvalidUsage,
    ImageNotFound (of ``before`` and ``since``), AmbiguousImage.
    """
    grouped: dict[str, list[str]] = {}
    for key, value in filters:
        if key not in KEYS:
            error = InvalidUsage(f"{key}={value}", f"invalid filter '{key}'")
            error.add_note(f"Filters are: {', '.join(KEYS)}.")
            raise error
        grouped.setdefault(key, []).append(value)
    patterns = grouped.pop("reference", [])
    tests = [test for key, values in grouped.items() for test in _tests(store, key, values)]
    kept = [image for image in images if all(test(image) for test in tests)]
    return _matching(kept, patterns) if patterns else kept


def _tests(store: Store, key: str, values: list[str]) -> list[Test]:
    if key == "dangling":
        return [_dangling(_flag(key, value)) for value in values]
    if key == "label":
        return [lambda image: _has_all(image.labels, values)]
    if key == "label!":
        return [lambda image: not _has_all(image.labels, values)]
    if key == "until":
        limits = [moment(value, datetime.now(UTC)) for value in values]
        return [lambda image: _created(image) < min(limits)]
    others = [_created(store.image(Selector.parse(value))) for value in values]
    if key == "before":
        return [lambda image: _created(image) < min(others)]
    return [lambda image: _created(image) > max(others)]


def _dangling(wanted: bool) -> Test:
    """Docker's: an image that only a digest names passes either way."""
    if wanted:
        return lambda image: not image.tags
    return lambda image: bool(image.tags or image.digests)


def _flag(key: str, value: str) -> bool:
    if value not in (*_TRUE, *_FALSE):
        raise InvalidUsage(f"{key}={value}", f"invalid filter '{key}': expected true or false")
    return value in _TRUE


def _has_all(labels: Mapping[str, str], wanted: Iterable[str]) -> bool:
    for text in wanted:
        key, equals, value = text.partition("=")
        if key not in labels or (equals and labels[key] != value):
            return False
    return True


def _created(image: Image) -> datetime:
    return image.created or _NEVER


def _matching(images: Iterable[Image], patterns: Iterable[str]) -> list[Image]:
    """Return the images that have a matching name, with the matching ones alone."""
    matchers = [matcher(pattern) for pattern in patterns]
    found = []
    for image in images:
        tags = tuple(name for name in image.tags if any(match(name) for match in matchers))
        digests = tuple(name for name in image.digests if any(match(name) for match in matchers))
        if tags or digests:
            found.append(replace(image, tags=tags, digests=digests))
    return found
