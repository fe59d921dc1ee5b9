"""The marker ``@pytest.mark.image("alpine:3.20", policy=None, platform=None)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from pytest_images.images import Policy

NAME = "image"
_OPTIONS = {"policy", "platform"}


class Need(NamedTuple):
    """One image that a test needs, as its marker says."""

    name: str
    policy: Policy | None
    platform: Any


def needs_of(node: pytest.Item) -> tuple[Need, ...]:
    """Return what the markers of a test name, outermost first. Raises InvalidUsage."""
    marks = reversed(list(node.iter_markers(NAME)))
    return tuple(need for mark in marks for need in _needs(mark))


def ask_for_fixture(item: pytest.Item) -> None:
    """Have a marked test use `marked_images`, so that its images are there before it."""
    names: list[str] | None = getattr(item, "fixturenames", None)
    if names is not None and item.get_closest_marker(NAME) and "marked_images" not in names:
        names.append("marked_images")


def _needs(mark: pytest.Mark) -> tuple[Need, ...]:
    from pytest_images.errors import InvalidUsage

    if not mark.args:
        raise InvalidUsage("@pytest.mark.image()", "it names no image")
    unknown = sorted(set(mark.kwargs) - _OPTIONS)
    if unknown:
        known = ", ".join(sorted(_OPTIONS))
        raise InvalidUsage(f"@pytest.mark.image(..., {unknown[0]}=)", f"it takes {known}")
    policy, platform = mark.kwargs.get("policy"), mark.kwargs.get("platform")
    return tuple(Need(str(name), policy, platform) for name in mark.args)
