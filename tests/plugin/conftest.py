"""Inner pytest runs: each has a store of its own, and none of the outer run's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store's folder of inner runs."""
    folder = tmp_path / "store"
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(folder))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return folder
