"""The options of the client on PATH, read from its own help: ours are those, and a few more."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from pytest_images.cli.dispatch import ALIASES, IMAGE_VERBS
from tests.differential.cases import VERBS
from tests.differential.rules import OURS_ALONE, command
from tests.peers import peer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.peer("docker")

_OPTION = re.compile(r"^ {2}(?:-(\w), | {4})--([\w-]+)(?: (\w+))?(?: {2,}|$)", re.MULTILINE)
_CURRENT = 28  # the major version of the client whose options ours are


def _help(verb: str) -> str:
    """The client's help; no engine is asked, so that no option is hidden for its sake."""
    words = [peer("docker"), "--host=unix:///nowhere", "image", verb, "--help"]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module", autouse=True)
def _current_client() -> None:
    version = subprocess.run(
        [peer("docker"), "--version"], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    print(version)
    found = re.search(r"version (\d+)", version)
    assert found
    if int(found[1]) < _CURRENT:
        pytest.skip(f"the client is older than {_CURRENT}: {version}")


def _theirs(verb: str) -> Iterator[tuple[str, str, str]]:
    for short, name, kind in _OPTION.findall(_help(verb).partition("Options:")[2]):
        yield name, short, kind.removesuffix("s")


@pytest.mark.parametrize("verb", VERBS)
def test_the_options_are_those_of_the_client(verb: str) -> None:
    ours = {
        (option.name, option.short, option.kind.removesuffix("s"))  # several values are more
        for option in command(verb).options
        if f"{verb} --{option.name}" not in OURS_ALONE
    }
    assert ours == set(_theirs(verb))


@pytest.mark.parametrize("verb", VERBS)
def test_the_usage_and_the_summary_are_those_of_the_client(verb: str) -> None:
    usage, _, summary = _help(verb).splitlines()[:3]
    assert usage.replace("docker image", "pytest-images") == f"Usage:  {command(verb).usage}"
    assert summary == IMAGE_VERBS[verb]


@pytest.mark.parametrize("verb", VERBS)
def test_the_aliases_are_those_of_the_client(verb: str) -> None:
    found = re.search(r"^Aliases:\n  (.*)$", _help(verb), re.MULTILINE)
    listed = {text.split()[-1] for text in found[1].split(", ")} if found else set()
    assert listed - {verb} == {alias for alias, name in ALIASES.items() if name == verb}
