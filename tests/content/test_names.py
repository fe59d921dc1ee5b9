"""Record files are exchanged whole, or are what they were."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.durability import Durability
from pytest_images.content.names import Record, Scope

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = f"sha256:{'a' * 64}"
LONG = Record("docker.io/library/app:1", DIGEST, DIGEST, DIGEST, "2026-01-01T00:00:00Z")
SHORT = Record("docker.io/library/app:1", DIGEST, DIGEST)


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    scope = Scope(tmp_path, Durability("fast"))
    change = scope.change([LONG], [])
    change.apply()
    change.finish()
    return scope


def test_a_record_stays_where_its_copy_finds_no_room(scope: Scope) -> None:
    """S05: half a copy of it is never put in its place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert sys.getsizeof(SHORT.to_json()) < sys.getsizeof(LONG.to_json())
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(SHORT.to_json()), hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            scope.change([SHORT], [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(scope.read_all()) == [LONG]
    assert [path.name for path in scope.path.iterdir()] == [LONG.file]


def test_a_change_is_undone_after_it_was_made(scope: Scope) -> None:
    change = scope.change([SHORT], [])
    change.apply()
    assert list(scope.read_all()) == [SHORT]
    assert change.undo()
    assert list(scope.read_all()) == [LONG]
    assert [path.name for path in scope.path.iterdir()] == [LONG.file]
