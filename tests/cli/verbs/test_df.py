from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

ONE = samples.image("one", size=100_000)


def cells(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line) for line in text.splitlines()]


def test_an_empty_store_holds_nothing(run: Run) -> None:
    assert cells(run("df").out) == [
        ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"],
        ["Images", "0", "0", "0B", "0B"],
        ["Cached Blobs", "0", "0", "0B", "0B"],
    ]


def test_what_an_image_holds_is_counted(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    _, images, cached = cells(run("df").out)
    assert images[:3] == ["Images", "1", "1"]
    assert images[3].endswith("kB")
    assert cached[1] == "0"


def test_what_no_image_reaches_can_be_reclaimed(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    store.put(b"nobody's" * 1000)
    _, _, cached = cells(run("df").out)
    assert cached == ["Cached Blobs", "1", "0", "8kB", "8kB"]


def test_the_lines_can_be_formatted(run: Run, store: Store) -> None:
    store.put(b"nobody's" * 1000)
    assert run("df", "--format", "{{.Type}}={{.Size}}").out == "Images=0B\nCached Blobs=8kB\n"
    assert run("df", "--format", "table {{.TotalCount}}").out == "TOTAL\n0\n1\n"
    assert run("df", "--format", "json").out.splitlines()[1] == (
        '{"Active":"0","Reclaimable":"8kB","Size":"8kB","TotalCount":"1","Type":"Cached Blobs"}'
    )
    assert run("df", "--format", "table") == run("df")
    assert "can't evaluate field Foo" in run("df", "--format", "{{.Foo}}").err
