from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.model.reference import Reference
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

ONE = samples.image("one", layers=2, size=5000)
ARM = samples.image("arm", platform="linux/arm64")
BOTH = samples.index(ONE, ARM)
HEAD = "IMAGE               ID             DISK USAGE   CONTENT SIZE\n"


def content(sample: samples.Sample) -> str:
    return f"{sum(map(len, sample.blobs.values())) / 1000:.3g}kB"


def put_index(store: Store, *names: str, whole: bool) -> None:
    with store.lease() as lease:
        for digest, raw in (BOTH.blobs if whole else ONE.blobs).items():
            lease.hold(digest)
            store.put(raw, digest)
        store.put(BOTH.index.raw)
        tags = [Reference.parse(name) for name in names]
        store.add(ONE.manifest, ONE.config, tags, index=BOTH.index.digest)


@pytest.mark.parametrize("whole", [True, False])
def test_the_platforms_of_an_index_hang_below_its_name(run: Run, store: Store, whole: bool) -> None:
    put_index(store, "app:1", whole=whole)
    one, arm = ONE.config.id.short, ARM.config.id.short if whole else ARM.manifest.digest.short
    sizes = ("1kB", content(ARM)) if whole else ("0B", "0B")
    assert run("ls", "--tree").out == (
        f"{HEAD}"
        f"app:1               {one}{'10kB':>13}{content(ONE):>15}\n"
        f"├─ linux/amd64      {one}{'10kB':>13}{content(ONE):>15}\n"
        f"└─ linux/arm64/v8   {arm}{sizes[0]:>13}{sizes[1]:>15}\n\n"
    )


def test_an_image_of_one_platform_has_that_one_below_it(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    header, name, platform, last = run("ls", "--tree").out.split("\n", 3)
    assert name.split()[0] == "app:1"
    assert platform.split()[:3] == ["└─", "linux/amd64", ONE.config.id.short]
    assert header.split() == ["IMAGE", "ID", "DISK", "USAGE", "CONTENT", "SIZE"]
    assert last == "\n"


def test_of_several_names_the_longest_comes_first(run: Run, store: Store) -> None:
    ONE.put(store, "b:1", "alpine:3.20", "alpine:latest")
    lines = run("ls", "--tree").out.splitlines()
    assert lines[1:3] == ["alpine:latest", "alpine:3.20"]
    assert lines[3].split()[:2] == ["b:1", ONE.config.id.short]


def test_what_has_no_name_shows_only_with_all(run: Run, store: Store) -> None:
    ONE.put(store)
    assert len(run("ls", "--tree").out.splitlines()) == 1
    assert run("ls", "--tree", "-a").out.splitlines()[1].split()[0] == "<untagged>"


def test_long_names_are_cut_to_what_there_is_room_for(run: Run, store: Store) -> None:
    ONE.put(store, name := "localhost:5000/very/long/name/of/a/repository/that/does/not/fit:1")
    line = run("ls", "--tree").out.splitlines()[1]
    assert line.startswith("localhost:5000/very/long/name/of/a/r…   ")
    assert len(line) <= 80
    assert name in run("ls", "--tree", "--no-trunc").out


def test_ids_are_whole_when_asked(run: Run, store: Store) -> None:
    put_index(store, "app:1", whole=False)
    out = run("ls", "--tree", "--no-trunc").out
    assert str(ONE.config.id) in out
    assert str(ARM.manifest.digest) in out


def test_filters_and_a_name_choose(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    ARM.put(store, "other:1")
    assert "other" not in run("ls", "--tree", "app").out
    assert "app" not in run("ls", "--tree", "--filter", "reference=oth*").out


@pytest.mark.parametrize("option", ["--quiet", "--digests", "--format=json"])
def test_other_forms_do_not_go_with_it(run: Run, option: str) -> None:
    done = run("ls", "--tree", option)
    assert (done.status, done.out) == (1, "")
    assert f"{option.partition('=')[0]} with --tree: not supported" in done.err
