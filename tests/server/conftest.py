"""A fresh registry for each test, and the account of what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.server.registry import Registry
from tests.server.talk import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ledger import Ledger


@pytest.fixture
def registry(ledger: Ledger) -> Iterator[Registry]:
    with Registry() as registry:
        yield registry


@pytest.fixture
def client(registry: Registry) -> Iterator[Client]:
    client = Client(registry)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def row() -> str:
    """The row of the catalogue of faults that a test is; `account.row` gives it."""
    return ""
