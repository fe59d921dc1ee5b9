"""Stories: whole pytest runs in processes of their own, each on a store of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """The store's folder of the story; its tests run in the order they are written in."""
    if "pytester" in request.fixturenames:
        request.getfixturevalue("pytester")  # which takes PYTEST_ADDOPTS away
    folder = tmp_path / "store"
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(folder))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:randomly")
    return folder


class Aftermath:
    """What a store must be after a story."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def is_clean(self) -> bool:
        """Say whether no run, name, lease or half-written blob is left, and all is sound."""
        with Store.open(self.home) as store:
            left = [*(self.home / "runs").iterdir(), *(self.home / "ingest").iterdir()]
            left += (self.home / "leases").iterdir()
            report = store.fsck()
            assert report.clean, report.problems
            assert left == []
            assert store.images() == ()
        return True


@pytest.fixture
def aftermath(home: Path) -> Aftermath:
    """The store, looked at after the story."""
    return Aftermath(home)
