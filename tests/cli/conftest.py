"""The command in this process: its exit status and what it printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest

from pytest_images.cli import main
from pytest_images.content.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Outcome(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


class Run(Protocol):
    """Runs the command with these words."""

    def __call__(self, *words: str) -> Outcome: ...


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of the test's own, and nothing of the user's."""
    for name in ("PYTEST_IMAGES_ENGINE", "DOCKER_DEFAULT_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-docker-config"))
    monkeypatch.setenv("PYTEST_IMAGES_DURABILITY", "fast")
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command, run in this process."""

    def run(*words: str) -> Outcome:
        capsys.readouterr()
        status = main(words)
        return Outcome(status, *capsys.readouterr())

    return run


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """The store that the command uses."""
    with Store.open(home) as store:
        yield store
