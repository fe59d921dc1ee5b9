from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from pytest_images.hookspecs import Hooks

PAGE = (Path(__file__).parents[1] / "docs" / "hooks.md").read_text()
HOOKS = dict(inspect.getmembers(Hooks, inspect.isfunction))


def test_there_are_twenty_hooks() -> None:
    assert len(HOOKS) == 20


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_the_page_of_hooks_has_each_with_its_arguments(name: str) -> None:
    arguments = list(inspect.signature(HOOKS[name]).parameters)[1:]
    assert f"### `{name}({', '.join(arguments)})`" in PAGE


def test_the_page_of_hooks_has_no_other() -> None:
    assert set(re.findall(r"^### `(\w+)\(", PAGE, re.MULTILINE)) == set(HOOKS)
