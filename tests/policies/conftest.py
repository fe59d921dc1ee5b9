"""Registries of this machine that serve as mirrors of one that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.host import Host
from pytest_images.testing import samples
from tests.faults.rig import SMALL
from tests.faults.server import FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Hosting = Callable[..., Host]


@pytest.fixture
def registry() -> Iterator[FaultRegistry]:
    """A registry that has ``app:1`` and writes down what it is asked."""
    with FaultRegistry() as registry:
        yield registry.serve(samples.image("one"))


@pytest.fixture
def other() -> Iterator[FaultRegistry]:
    """A second registry, empty."""
    with FaultRegistry() as registry:
        yield registry


@pytest.fixture
def hosting(tmp_path: Path, registry: FaultRegistry) -> Iterator[Hosting]:
    """Make hosts on one store, for which ``registry.test`` is the first registry."""
    hosts: list[Host] = []

    def make(**settings: Any) -> Host:
        settings.setdefault("mirrors", [f"registry.test = http://{registry} only"])
        settings.setdefault("home", tmp_path / "home")
        settings.setdefault("limits", SMALL)
        hosts.append(Host(load_entry_points=False, durability="fast", **settings))
        return hosts[-1]

    yield make
    for host in hosts:
        host.close()
