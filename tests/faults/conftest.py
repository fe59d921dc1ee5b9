"""Fixtures of the fault tests: the registry that lies, and a pull under observation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import pytest_images.http.wire  # noqa: F401 - loaded before a ledger is opened
from pytest_images.content.store import Store
from pytest_images.testing.samples import Sample, image
from tests.faults.rig import Rig
from tests.faults.server import FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ledger import Ledger


@pytest.fixture(scope="session")
def sample() -> Sample:
    """An image of two layers, small enough for many pulls."""
    return image("faults", layers=2, size=3000)


@pytest.fixture
def rig(tmp_path: Path, ledger: Ledger) -> Iterator[Rig]:
    """A pull into an empty store; nothing may be left of it, ever."""
    rig = Rig(Store.open(tmp_path / "store"))
    yield rig
    clean = rig.store.fsck().clean
    rig.close()
    assert clean


@pytest.fixture
def registry(ledger: Ledger, sample: Sample) -> Iterator[FaultRegistry]:
    """A registry on loopback that has the sample as ``app:1``."""
    with FaultRegistry() as registry:
        yield registry.serve(sample)


@pytest.fixture
def other(ledger: Ledger) -> Iterator[FaultRegistry]:
    """Another host: nothing secret may ever come here."""
    with FaultRegistry("127.0.0.2") as registry:
        yield registry


@pytest.fixture(params=["tag", "digest"])
def how(request: pytest.FixtureRequest) -> str:
    """How a pull names its image."""
    return str(request.param)
