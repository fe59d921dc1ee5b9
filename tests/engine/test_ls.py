from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import ImageNotFound, InvalidUsage
from pytest_images.model.config import Config
from pytest_images.model.digest import Digest
from pytest_images.model.manifest import Manifest
from pytest_images.model.reference import Reference
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from tests.engine.conftest import Put

OLD, MIDDLE, NEW = "2020-01-01T00:00:00Z", "2022-01-01T00:00:00Z", "2024-01-01T00:00:00Z"


def at(created: str | None, **labels: str) -> samples.Sample:
    """A sample made at a given time."""
    one = samples.image("one", labels=labels)
    document = one.config.document
    del document["created"]
    raw = json.dumps(document | ({"created": created} if created else {})).encode()
    manifest = json.loads(one.manifest.raw)
    config = Config.parse(raw)
    manifest["config"] |= {"digest": str(config.id), "size": len(raw)}
    return samples.Sample(
        Manifest.parse(json.dumps(manifest).encode()), config, one.layers, one.tars
    )


@pytest.fixture
def three(put: Put) -> None:
    put(at(OLD, tier="test"), "app:old", "registry.test/team/app:1")
    put(at(MIDDLE, tier="test", team="a"), "lib:middle")
    put(at(NEW), "app:new")


def names(images: Images, pattern: str | None = None, *filters: tuple[str, str]) -> list[str]:
    return [name.familiar for image in images.ls(pattern, filters=filters) for name in image.tags]


def test_images_are_listed_newest_first(images: Images, three: None) -> None:
    assert names(images) == ["app:new", "lib:middle", "app:old", "registry.test/team/app:1"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("app", ["app:new", "app:old"]),
        ("app:new", ["app:new"]),
        ("docker.io/library/app", ["app:new", "app:old"]),
        ("*", ["app:new", "lib:middle", "app:old"]),
        ("*/*/*", ["registry.test/team/app:1"]),
        ("[al]??:*d*", ["lib:middle", "app:old"]),
        ("none", []),
    ],
)
def test_a_pattern_matches_names_as_docker_s(
    images: Images, three: None, pattern: str, expected: list[str]
) -> None:
    assert names(images, pattern) == expected
    assert names(images, None, ("reference", pattern)) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([("label", "tier")], ["lib:middle", "app:old"]),
        ([("label", "tier=test")], ["lib:middle", "app:old"]),
        ([("label", "tier=live")], []),
        ([("label", "tier"), ("label", "team=a")], ["lib:middle"]),
        ([("label!", "team")], ["app:new", "app:old"]),
        ([("label!", "team"), ("label", "tier")], ["app:old"]),
        ([("before", "lib:middle")], ["app:old"]),
        ([("since", "lib:middle")], ["app:new"]),
        ([("since", "app:old"), ("before", "app:new")], ["lib:middle"]),
        ([("until", "2023-01-01")], ["lib:middle", "app:old"]),
        ([("until", "1600000000")], ["app:old"]),
        ([("reference", "lib"), ("reference", "*:new")], ["app:new", "lib:middle"]),
        ([("dangling", "true")], []),
        ([("dangling", "false"), ("reference", "lib")], ["lib:middle"]),
    ],
)
def test_filters_are_docker_s(
    images: Images, three: None, filters: list[tuple[str, str]], expected: list[str]
) -> None:
    found = names(images, None, *filters)
    assert [name for name in found if "/" not in name] == expected


def test_until_counts_back_from_now(images: Images, put: Put) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    put(at(hour_ago.isoformat()), "app:1")
    assert names(images, None, ("until", "30m")) == ["app:1"]
    assert names(images, None, ("until", "1h30m")) == []


def test_dangling_images_have_no_tag(images: Images, put: Put, store: Store) -> None:
    put(at(OLD))
    digest_only = at(NEW)
    put(digest_only)
    pinned = Reference.parse(f"app@{digest_only.manifest.digest}")
    store.add(digest_only.manifest, digest_only.config, (), [pinned])
    assert len(images.ls(filters={"dangling": "true"})) == 2
    (only,) = images.ls(filters={"dangling": "false"})
    assert only.digests == (pinned,)


def test_an_image_without_a_time_is_the_oldest(images: Images, put: Put) -> None:
    put(at(None), "app:timeless")
    put(at(OLD), "app:old")
    assert names(images) == ["app:old", "app:timeless"]
    assert names(images, None, ("before", "app:old")) == ["app:timeless"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("colour", "red"),
        ("dangling", "maybe"),
        ("until", "yesterday"),
        ("until", "99999999999999999999h"),
        ("reference", "[a"),
        ("reference", "[b-a]"),
        ("reference", "a\\"),
    ],
)
def test_a_filter_that_cannot_be_understood_is_refused(
    images: Images, three: None, key: str, value: str
) -> None:
    with pytest.raises(InvalidUsage):
        images.ls(filters={key: value})


def test_before_an_image_that_is_not_here_is_refused(images: Images) -> None:
    with pytest.raises(ImageNotFound, match="none:latest"):
        images.ls(filters={"before": "none"})


def test_sizes_are_measured_once_and_recorded(images: Images, put: Put, store: Store) -> None:
    sample = samples.image("sized", layers=2, size=5000)
    put(sample, "app:1")
    assert images.ls(sizes=False)[0].size is None
    assert images.ls()[0].size == 10_000
    assert images.ls(sizes=False)[0].size == 10_000
    facts = store.layer(sample.manifest.layers[0].digest)
    assert facts == (sample.config.diff_ids[0], len(sample.tars[0]), 5000)


def test_an_image_whose_layer_is_not_its_config_s_is_listed_without_size(
    images: Images, put: Put
) -> None:
    one = samples.image("one")
    other = samples.image("other")
    manifest = json.loads(one.manifest.raw)
    manifest["layers"] = json.loads(other.manifest.raw)["layers"]
    mixed = Manifest.parse(json.dumps(manifest).encode())
    put(samples.Sample(mixed, one.config, other.layers, other.tars), "app:1")
    (listed,) = images.ls()
    assert listed.size is None
    assert images.inspect("app:1").image.size is None


def test_a_layer_that_is_no_tar_is_listed_without_size(images: Images, put: Put) -> None:
    one = samples.image("one")
    noise = gzip.compress(b"noise" * 1000)
    manifest = json.loads(one.manifest.raw)
    manifest["layers"][0] |= {
        "digest": str(Digest.of(noise)),
        "size": len(noise),
    }
    broken = Manifest.parse(json.dumps(manifest).encode())
    put(samples.Sample(broken, one.config, (noise,), one.tars), "app:1")
    assert images.ls()[0].size is None


def test_what_is_listed_is_what_is_found_by_a_name(images: Images, put: Put) -> None:
    put(samples.image("one"), "app:1", "app:2")
    [listed] = images.ls()
    assert images.inspect("app:1").image == images.inspect("app:2").image == listed
    assert images.inspect("app:1", sizes=True).image in images.ls("app:2")
