"""The marker ``@pytest.mark.image("alpine:3.20", pull="missing", platform=None)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from pytest_images.arguments import Policy

NAME = "image"
_OPTIONS = {"pull", "platform"}


class Marked(NamedTuple):
    """One image that a test needs, as its marker says it."""

    name: str
    policy: Policy | None
    platform: Any


def marked(node: pytest.Item) -> tuple[Marked, ...]:
    """Return what the markers of a test name, outermost first. Raises InvalidUsage."""
    marks = reversed(list(node.iter_markers(NAME)))
    return tuple(one for mark in marks for one in _marked(mark))


def ask_for_fixture(item: pytest.Item) -> None:
    """Have a marked test use `marked_images`, so that its images are there before it."""
    names: list[str] | None = getattr(item, "fixturenames", None)
    if names is not None and item.get_closest_marker(NAME) and "marked_images" not in names:
        names.append("marked_images")


def _marked(mark: pytest.Mark) -> tuple[Marked, ...]:
    from pytest_images.errors import InvalidUsage

    if not mark.args:
        raise InvalidUsage("@pytest.mark.image()", "it names no image")
    unknown = sorted(set(mark.kwargs) - _OPTIONS)
    if unknown:
        known = ", ".join(sorted(_OPTIONS))
        raise InvalidUsage(f"@pytest.mark.image(..., {unknown[0]}=)", f"it takes {known}")
    policy, platform = mark.kwargs.get("pull"), mark.kwargs.get("platform")
    return tuple(Marked(str(name), policy, platform) for name in mark.args)
