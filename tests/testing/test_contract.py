from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.engine.embedded import EmbeddedEngine
from pytest_images.testing.contract import VERBS, EngineContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class TestEmbedded(EngineContract):
    verbs = frozenset(verb for verb in VERBS if hasattr(EmbeddedEngine, f"image_{verb}"))

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[object]:
        engine = EmbeddedEngine(tmp_path / "store")
        yield engine
        engine.close()
