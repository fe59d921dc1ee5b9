from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_images.cli.units import human_size
from pytest_images.model.reference import Reference
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
    size = human_size(sum(map(len, ONE.blobs.values())))
    assert images == ["Images", "1", "0", size, f"{size} (100%)"]
    assert cached[1] == "0"


def test_what_is_in_use_is_active_and_cannot_be_reclaimed(run: Run, store: Store) -> None:
    """The figure is what `prune --all` then says that it freed."""
    tall, low = samples.image("x", layers=3), samples.image("x", layers=1)
    tall.put(store, "tall:1")
    low.put(store, "low:1")
    with store.lease() as lease:
        lease.hold(low.manifest.digest)
        _, images, _ = cells(run("df").out)
        alone = sum(map(len, (tall.blobs | low.blobs).values())) - sum(map(len, low.blobs.values()))
        assert images[1:3] == ["2", "1"]
        assert images[4].startswith(f"{human_size(alone)} (")
        assert run("prune", "-af").out.endswith(f"reclaimed space: {human_size(alone)}\n")
        assert cells(run("df").out)[1][4] == "0B (0%)"


def test_the_other_platforms_of_a_whole_index_count_with_its_image(run: Run, store: Store) -> None:
    both = samples.index(ONE, samples.image("arm", platform="linux/arm64"))
    for digest, content in both.blobs.items():
        store.put(content, digest)
    store.add(ONE.manifest, ONE.config, [Reference.parse("app:1")], index=both.index.digest)
    _, images, cached = cells(run("df").out)
    assert images[3] == human_size(sum(map(len, both.blobs.values())))
    assert images[4] == f"{images[3]} (100%)"
    assert cached[1] == "0"


def test_details_tell_what_an_image_has_alone(run: Run, store: Store) -> None:
    tall, low = samples.image("x", layers=2), samples.image("x", layers=1)
    tall.put(store, "tall:1", "tall:2")
    low.put(store, "low:1")
    shared = len(low.layers[0])
    title, blank, header, *lines = run("df", "-v").out.splitlines()
    assert (title, blank) == ("Images space usage:", "")
    assert cells(header)[0][-3:] == ["SIZE", "SHARED SIZE", "UNIQUE SIZE"]
    told = {tuple(line[:2]): line[-3:] for line in cells("\n".join(lines))}
    for names, sample in (([("tall", "1"), ("tall", "2")], tall), ([("low", "1")], low)):
        size = sum(map(len, sample.blobs.values()))
        for name in names:
            assert told[name] == [human_size(each) for each in (size, shared, size - shared)]


def test_details_have_one_form(run: Run) -> None:
    done = run("df", "-v", "--format", "json")
    assert (done.status, done.out) == (1, "")
    assert "not supported" in done.err


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
