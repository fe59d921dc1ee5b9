from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.content.durability import Durability
from pytest_images.content.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of the store under test."""
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> Iterator[Store]:
    """An empty store; what is durable about it is the survival gate's subject."""
    with Store.open(root, durability=Durability.FAST) as store:
        yield store
