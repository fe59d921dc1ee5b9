from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import InvalidConfiguration
from pytest_images.layer.limit import SETTING, expansion_limit

if TYPE_CHECKING:
    from pathlib import Path


def test_the_limit_is_the_free_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    assert abs(expansion_limit(tmp_path) - shutil.disk_usage(tmp_path).free) < 1 << 30


def test_the_setting_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "1000")
    assert expansion_limit(tmp_path) == 1000


def test_a_setting_that_is_no_number_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, "1G")
    with pytest.raises(InvalidConfiguration, match=SETTING):
        expansion_limit(tmp_path)
