from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store
from pytest_images.errors import AmbiguousImage, Conflict, ImageNotFound, PlatformNotFound
from pytest_images.host import Host
from pytest_images.model.reference import Reference
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.images import Images
    from pytest_images.testing.samples import Sample
    from tests.engine.conftest import Put

ONE = samples.image("one")
ID = str(ONE.config.id)
[LAYER] = map(str, ONE.config.diff_ids)
DELETED = [f"Deleted: {ID}", f"Deleted: {LAYER}"]
PINNED = f"app@{ONE.manifest.digest}"


def lines(images: Images, thing: str, **options: bool) -> list[str]:
    return [str(removal) for removal in images.rm(thing, **options)]  # type: ignore[arg-type] # force alone


def pin(store: Store, *names: str) -> None:
    store.add(ONE.manifest, ONE.config, (), [Reference.parse(name) for name in names])


def test_the_last_name_takes_the_image_with_it(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    assert lines(images, "app:1") == ["Untagged: app:1", *DELETED]
    assert images.ls() == ()


def test_a_name_among_others_only_goes_itself(images: Images, put: Put) -> None:
    put(ONE, "app:1", "app:2")
    assert lines(images, "app:1") == ["Untagged: app:1"]
    assert images.exists("app:2") and not images.exists("app:1")


def test_the_last_tag_of_a_repository_takes_its_digests_with_it(
    images: Images, put: Put, store: Store
) -> None:
    put(ONE, "app:1")
    pin(store, PINNED)
    assert lines(images, "app:1") == ["Untagged: app:1", f"Untagged: {PINNED}", *DELETED]


def test_digests_of_another_repository_keep_the_image(
    images: Images, put: Put, store: Store
) -> None:
    put(ONE, "app:1")
    pin(store, PINNED, f"other@{ONE.manifest.digest}")
    assert lines(images, "app:1") == ["Untagged: app:1", f"Untagged: {PINNED}"]
    assert images.exists(ID)


def test_a_digest_goes_alone_while_a_tag_is_left(images: Images, put: Put, store: Store) -> None:
    put(ONE, "app:1")
    pin(store, PINNED)
    assert lines(images, PINNED) == [f"Untagged: {PINNED}"]
    assert images.exists("app:1")


def test_a_digest_that_is_no_name_here_is_not_found(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    with pytest.raises(ImageNotFound, match="app@sha256"):
        images.rm(PINNED)
    assert images.exists("app:1")


def test_an_id_with_one_name_goes_with_it(images: Images, put: Put, store: Store) -> None:
    put(ONE, "app:1")
    pin(store, PINNED)
    expected = ["Untagged: app:1", f"Untagged: {PINNED}", *DELETED]
    assert lines(images, ONE.config.id.short) == expected


@pytest.mark.parametrize("names", [("app:1", "app:2"), ("app:1", "other:1")])
def test_an_id_with_several_names_must_be_forced(
    images: Images, put: Put, names: tuple[str, ...]
) -> None:
    put(ONE, *names)
    short = ONE.config.id.short
    text = f"^conflict: unable to delete {short} .must be forced. - image is referenced in multiple"
    with pytest.raises(Conflict, match=text):
        images.rm(short)
    expected = [f"Untagged: {names[0]}", f"Untagged: {names[1]}", *DELETED]
    assert lines(images, short, force=True) == expected


def test_a_dangling_image_goes_by_its_id(images: Images, put: Put) -> None:
    put(ONE)
    assert lines(images, ID) == DELETED


def test_a_name_without_tag_means_latest(images: Images, put: Put) -> None:
    put(ONE, "app:latest", "app:1")
    assert lines(images, "app") == ["Untagged: app:latest"]


def test_layers_that_another_image_shares_stay(images: Images, put: Put, store: Store) -> None:
    put(ONE, "app:1")
    other = samples.image("one", labels={"other": "config"})
    put(other, "app:2")
    assert lines(images, "app:1") == ["Untagged: app:1", f"Deleted: {ID}"]
    store.collect(0)
    assert store.read(other.manifest.layers[0].digest) == other.layers[0]


def test_layers_are_told_from_the_top_down_to_the_first_that_is_shared(
    images: Images, put: Put
) -> None:
    """As Docker does, by chain ID; the layers of "x" are x/0, x/1 and so on."""
    tall, low = samples.image("x", layers=3), samples.image("x", layers=1)
    put(tall, "tall:1")
    put(low, "low:1")
    first, second, third = tall.config.chain_ids
    deleted = [f"Deleted: {digest}" for digest in (tall.config.id, third, second)]
    assert lines(images, "tall:1") == ["Untagged: tall:1", *deleted]
    assert lines(images, "low:1")[1:] == [f"Deleted: {low.config.id}", f"Deleted: {first}"]


def test_a_layer_that_is_here_compressed_otherwise_is_the_same_layer(
    images: Images, put: Put
) -> None:
    plain = samples.image("one", compression="none", labels={"other": "config"})
    put(ONE, "app:1")
    put(plain, "app:2")
    images.ls()  # looks into the layers
    before = {**ONE.blobs}
    removals = images.rm("app:1")
    assert [str(removal) for removal in removals] == ["Untagged: app:1", f"Deleted: {ID}"]
    assert sum(removal.size for removal in removals) == sum(map(len, before.values()))


def test_the_content_goes_with_the_image(images: Images, put: Put, store: Store) -> None:
    put(ONE, "app:1")
    removals = images.rm("app:1")
    assert not any(map(store.has, ONE.blobs))
    assert sum(removal.size for removal in removals) == sum(map(len, ONE.blobs.values()))


def test_the_content_stays_as_a_cache_where_no_parents_are_pruned(
    images: Images, put: Put, store: Store
) -> None:
    put(ONE, "app:1")
    images.rm("app:1", prune_parents=False)
    assert all(map(store.has, ONE.blobs))


def test_the_content_stays_as_a_cache_in_a_run_of_tests(tmp_path: Path) -> None:
    with Host(home=tmp_path, run="one", durability="fast", load_entry_points=False) as host:
        host.images.load(BytesIO(ONE.archive("app:1")))
        assert [str(each) for each in host.images.rm("app:1")] == ["Untagged: app:1", *DELETED]
    with Store.open(tmp_path) as store:
        assert all(map(store.has, ONE.blobs))


def test_an_image_whose_documents_are_damaged_can_be_removed(
    images: Images, put: Put, store: Store
) -> None:
    put(ONE, "app:1")
    path = store.path(ONE.config.id)
    path.chmod(0o600)
    path.write_bytes(b"x" * path.stat().st_size)
    layer = ONE.manifest.layers[0].digest  # that it is one nobody can know
    assert lines(images, "app:1") == [
        "Untagged: app:1",
        f"Deleted: {ID}",
        f"Deleted: {layer}",
    ]
    assert images.ls() == ()


def test_what_is_not_here_is_named(images: Images) -> None:
    with pytest.raises(ImageNotFound, match="No such image: app:latest"):
        images.rm("app")


_A = samples.image("a", platform="linux/amd64")
IDS_OF_A = [_A.config.id, *_A.config.diff_ids]


def several(store: Store) -> tuple[Sample, Sample, Sample]:
    """Record ``app:1``, of three platforms that are all here; the first is the one in force."""
    first, second, third = (
        samples.image(name, platform=platform)
        for name, platform in [("a", "linux/amd64"), ("b", "linux/arm64"), ("c", "linux/s390x")]
    )
    index = samples.index(first, second, third)
    for digest, raw in index.blobs.items():
        store.put(raw, digest)
    name = Reference.parse("app:1")
    store.add(first.manifest, first.config, [name], index=index.index.digest)
    return first, second, third


def test_one_platform_of_several_goes_alone(images: Images, store: Store) -> None:
    first, second, third = several(store)
    gone = images.rm("app:1", platforms=["linux/arm64"], force=True)
    assert [str(each) for each in gone] == [f"Deleted: {second.manifest.digest}"]
    assert gone[0].size == sum(map(len, second.blobs.values()))
    assert not any(map(store.has, second.blobs))
    assert all(map(store.has, first.blobs)) and all(map(store.has, third.blobs))
    assert images.inspect("app:1").image.id == first.config.id
    with pytest.raises(PlatformNotFound, match="linux/arm64"):
        images.inspect("app:1", platform="linux/arm64")


def test_names_go_over_to_a_platform_that_stays(images: Images, store: Store) -> None:
    first, second, third = several(store)
    images.rm("app:1", platforms=["linux/amd64", "linux/arm64"], force=True)
    [image] = images.ls()
    assert (image.id, [tag.familiar for tag in image.tags]) == (third.config.id, ["app:1"])
    assert not any(map(store.has, [*first.blobs, *second.blobs]))


def test_the_last_platform_is_the_image(images: Images, store: Store) -> None:
    parts = several(store)
    every = ["linux/amd64", "linux/arm64", "linux/s390x"]
    assert "Untagged: app:1" in map(str, images.rm("app:1", platforms=every, force=True))
    assert images.ls() == ()
    assert not any(store.has(digest) for part in parts for digest in part.blobs)


def test_with_an_image_the_other_platforms_of_its_index_go(images: Images, store: Store) -> None:
    parts = several(store)
    gone = images.rm("app:1")
    content = {digest: raw for part in parts for digest, raw in part.blobs.items()}
    assert sum(each.size for each in gone) > sum(map(len, content.values()))  # and the index
    assert not any(map(store.has, content))


def test_an_index_that_has_been_here_for_days_goes_without_a_line_of_its_own(
    images: Images, store: Store
) -> None:
    several(store)
    for path in (store.root / "blobs/sha256").iterdir():
        os.utime(path, (1, 1))  # no newcomer's any more: it goes with the first it is part of
    assert [str(each) for each in images.rm("app:1")] == [
        "Untagged: app:1",
        *(f"Deleted: {digest}" for digest in IDS_OF_A),
    ]


def test_a_platform_goes_by_force_only(images: Images, store: Store) -> None:
    several(store)
    before = images.ls()
    with pytest.raises(Conflict, match="Content will be removed from all images referencing this"):
        images.rm("app:1", platforms=["linux/arm64"])
    assert images.ls() == before


def test_a_platform_that_is_an_image_of_its_own_stays(images: Images, store: Store) -> None:
    _, second, _ = several(store)
    second.put(store, "other:1")
    with pytest.raises(Conflict, match="an image of its own"):
        images.rm("app:1", platforms=["linux/arm64"], force=True)
    assert all(map(store.has, second.blobs))


def test_what_platforms_share_stays_with_the_others(images: Images, store: Store) -> None:
    first = samples.image("a", platform="linux/amd64")
    second = samples.image("a", platform="linux/arm64")  # the same layer
    index = samples.index(first, second)
    for digest, raw in index.blobs.items():
        store.put(raw, digest)
    store.add(first.manifest, first.config, [Reference.parse("app:1")], index=index.index.digest)
    images.rm("app:1", platforms=["linux/arm64"], force=True)
    assert all(map(store.has, first.blobs))
    assert not store.has(second.config.id)


def test_another_platform_than_the_one_here_is_refused(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    with pytest.raises(PlatformNotFound, match="linux/s390x"):
        images.rm("app:1", platforms=["linux/s390x"])
    assert images.exists("app:1")


def test_an_ambiguous_start_of_an_id_removes_nothing(images: Images, put: Put) -> None:
    ids = [put(samples.image(str(number), size=1)).id.encoded for number in range(17)]
    start = next(id[0] for id in ids if sum(other[0] == id[0] for other in ids) > 1)
    with pytest.raises(AmbiguousImage):
        images.rm(f"sha256:{start}")
    assert len(images.ls()) == 17
