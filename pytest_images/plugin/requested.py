"""Fixtures among the arguments of a factory, and the names they have."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEFT_OUT: Any = ...  # an argument that was not given; the same object in every module


def is_fixture(value: object) -> bool:
    """Say whether *value* is what a fixture's name stands for in its module."""
    return _marker(value) is not None


def fixtures_in(value: object) -> Iterator[Any]:
    """Give the fixtures in an argument: it may be one, or hold some."""
    if is_fixture(value):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from fixtures_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from fixtures_in(one)


def filled(value: Any, value_of: Callable[[Any], Any]) -> Any:
    """Return an argument with its fixtures replaced; as it is where it holds none."""
    if is_fixture(value):
        return value_of(value)
    if not any(True for _ in fixtures_in(value)):
        return value
    if isinstance(value, Mapping):
        return {key: filled(one, value_of) for key, one in value.items()}
    return type(value)(filled(one, value_of) for one in value)


def name_of(fixture: Any, names: Mapping[str, Any]) -> str | None:
    """Return the name of a fixture: said to pytest, or assigned in *names* or at its home."""
    said: str | None = getattr(_marker(fixture), "name", None)
    if said:
        return said
    module = sys.modules.get(getattr(fixture, "__module__", None) or "")
    home = {} if module is None else vars(module)
    for space in (names, home):
        for name, value in space.items():
            if value is fixture:
                return name
    return None


def _marker(value: object) -> object | None:
    """Return what pytest attaches to a fixture; the name of that has changed in 8.4."""
    own = getattr(value, "__dict__", None)
    if not isinstance(own, Mapping):
        return None
    marker = own.get("_fixture_function_marker") or own.get("_pytestfixturefunction")
    return marker if type(marker).__name__ == "FixtureFunctionMarker" else None
