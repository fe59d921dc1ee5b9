"""Inner pytest runs: each has a store of its own, and none of the outer run's settings."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest

import pytest_images

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


@pytest.fixture(scope="session", autouse=True)
def _everything_is_imported() -> None:
    """Import the package whole: what an inner run imports first, pytester forgets after it.

    Half of it would then be imported again, and an error no longer be of its own class.
    """
    for module in pkgutil.walk_packages(pytest_images.__path__, "pytest_images."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
