"""For pytest: options, fixtures, a marker, overrides in conftest.py, and a summary.

Loading this costs next to nothing: nothing is opened, and no value, store or network code
is imported, before a fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.plugin.fixtures import (
    image_registry,
    image_registry_session,
    image_scope,
    images,
    marked_images,
)
from pytest_images.plugin.settings import pytest_addoption

if TYPE_CHECKING:
    import pytest

__all__ = [
    "image_registry",
    "image_registry_session",
    "image_scope",
    "images",
    "marked_images",
    "pytest_addoption",
    "pytest_configure",
]


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the session that keeps everything else."""
    from pytest_images.plugin.session import register

    config.addinivalue_line(
        "markers",
        "image(*names, pull=None, platform=None): images the test needs; they are made "
        "ready before it, `marked_images` has them",
    )
    register(config)
    if config.option.images_plan:
        config.option.dist, config.option.tx = "no", []  # xdist's: its controller sees no tests
