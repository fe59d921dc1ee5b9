"""For whom something is done: for logs in reports, and for what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

FIXTURE = "::fixture "  # what makes an owner a fixture


class Owners:
    """A pytest plugin that keeps the stack: a test, on it the fixtures that are set up."""

    def __init__(self) -> None:
        self._stack = [""]

    def current(self) -> str:
        """Return the innermost; outside of tests and fixtures nobody, which is ""."""
        return self._stack[-1]

    def is_somebody(self) -> bool:
        """Say whether there is a test."""
        return len(self._stack) > 1

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """What is done from here on is done for this test."""
        self._stack[:] = ["", item.nodeid]
        try:
            return (yield)
        finally:
            del self._stack[1:]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        """What is done in here is done for the fixture, for others may use it too."""
        self._stack.append(owner_of(fixturedef))
        try:
            return (yield)
        finally:
            self._stack.pop()


def owner_of(definition: pytest.FixtureDef[Any]) -> str:
    """Return what a fixture is called as an owner of deeds."""
    return f"{definition.baseid}{FIXTURE}{definition.argname}"
