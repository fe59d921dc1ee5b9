from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_images.server.catalog import everything, repositories
from pytest_images.server.shelf import BLOBS, MANIFESTS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

part = st.text("ab-.0", min_size=1, max_size=3).filter(lambda t: t[0] in "ab0" and t[-1] in "ab0")
name = st.lists(part, min_size=1, max_size=3).map("/".join)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(name, max_size=12), name)
def test_names_come_in_the_order_of_their_text(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], last: str
) -> None:
    folder = tmp_path_factory.mktemp("catalog")
    for found in names:
        (folder / found / MANIFESTS).mkdir(parents=True, exist_ok=True)
    assert list(repositories(folder)) == sorted(names)
    assert list(repositories(folder, last)) == sorted(n for n in names if n > last)


def test_a_page_of_many_repositories_is_quick(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"r{number:06}" / MANIFESTS).mkdir(parents=True)
    started = time.process_time()
    page = list(itertools.islice(repositories(tmp_path, "r001500"), 10))
    assert (page[0], len(page)) == ("r001501", 10)
    assert time.process_time() - started < 1


def test_everything_below_a_name(tmp_path: Path) -> None:
    for found in ("a", "a/b", "a/c/d", "ab"):
        (tmp_path / found / BLOBS).mkdir(parents=True)
    assert sorted(everything(tmp_path, "a")) == ["a", "a/b", "a/c/d"]
    assert list(everything(tmp_path, "nothing")) == []
