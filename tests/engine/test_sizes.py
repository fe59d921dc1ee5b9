"""Sizes of layers nobody has looked into: found once, recorded together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.facts import LayerFacts
from pytest_images.content.store import Store
from pytest_images.engine import sizes
from pytest_images.images import Images
from pytest_images.model.digest import Digest
from pytest_images.testing import samples

if TYPE_CHECKING:
    from tests.engine.conftest import Put

Record = Callable[[Store, Mapping[Digest, LayerFacts]], None]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many layers each change of the store recorded."""
    counts: list[int] = []
    record: Record = Store.add_layers

    def counted(store: Store, found: Mapping[Digest, LayerFacts]) -> None:
        counts.append(len(found))
        record(store, found)

    monkeypatch.setattr(Store, "add_layers", counted)
    return counts


def test_the_first_listing_records_all_it_found_in_one_change(
    images: Images, put: Put, written: list[int]
) -> None:
    for number in range(8):
        put(samples.image(f"seed {number}", layers=1, size=100), f"app:{number}")
    assert [image.size for image in images.ls()] == [100] * 8
    assert written == [8]
    assert [image.size for image in images.ls()] == [100] * 8
    assert written == [8]


def test_very_many_are_recorded_in_pieces(
    images: Images, put: Put, written: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "TOGETHER", 3)
    for number in range(8):
        put(samples.image(f"seed {number}", layers=1, size=100), f"app:{number}")
    images.ls()
    assert written == [3, 3, 2]
