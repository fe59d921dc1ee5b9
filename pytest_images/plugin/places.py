"""Where we are: the file whose code runs, so that a suite's overrides hold below it.

A plain stack on the session, not a context variable: those are empty in threads.
"""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

# Fixtures of pytest and of ours are where they are asked for: nobody writes overrides there.
_PYTEST = os.sep + "_pytest" + os.sep
_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120 - compared as text


class Places:
    """A pytest plugin that keeps the stack: tests by their item, fixtures by their own file."""

    def __init__(self, bottom: str) -> None:
        self._bottom = bottom
        self._stack: list[_Stay] = []

    def current(self) -> str:
        """Return the innermost file; outside of tests and fixtures, the root folder."""
        stack = self._stack
        return stack[-1].place if stack else self._bottom

    def enter(self, stay: _Stay) -> None:
        """Go to a file until `leave`."""
        self._stack.append(stay)

    def leave(self, stay: _Stay) -> None:
        """Leave a file; stays inside that were not left (an interrupt) end with it."""
        if stay in self._stack:
            del self._stack[self._stack.index(stay) :]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Bracket a fixture's set-up, and its finalizers: they run last first."""
        setup, teardown = (_Stay(_file_of(fixturedef, request)) for _ in "12")
        fixturedef.addfinalizer(lambda: self.leave(teardown))
        self.enter(setup)
        try:
            return (yield)
        finally:
            self.leave(setup)
            fixturedef.addfinalizer(lambda: self.enter(teardown))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Set-up of a test is where the test is."""
        return (yield from self._at(item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """A test is where its file is."""
        return (yield from self._at(item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Teardown of a test is where the test is; fixtures say their own place."""
        return (yield from self._at(item))

    def _at(self, item: pytest.Item) -> Generator[None, None, None]:
        stay = _Stay(str(item.path))
        self.enter(stay)
        try:
            return (yield)
        finally:
            self.leave(stay)


class _Stay:
    """One stay in a file; told apart by identity."""

    __slots__ = ("place",)

    def __init__(self, place: str) -> None:
        self.place = place


def _file_of(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> str:
    """Return the file a fixture is written in; a factory's is where it was called."""
    function: Callable[..., Any] = inspect.unwrap(fixturedef.func)
    function = getattr(function, "__func__", getattr(function, "func", function))
    code = getattr(function, "__code__", None)
    file: str = code.co_filename if code is not None else _OURS
    return str(request.node.path) if _PYTEST in file or file.startswith(_OURS) else file
