from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store
from pytest_images.errors import InvalidUsage
from pytest_images.host import Host
from pytest_images.model.reference import Reference
from pytest_images.testing import samples
from tests.histories import with_config

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.images import Images
    from tests.engine.conftest import Put

OLD = with_config(samples.image("old", labels={"kind": "old"}), created="2020-01-01T00:00:00Z")
NEW = with_config(samples.image("new", labels={"kind": "new"}), created="2024-01-01T00:00:00Z")
NAMED = samples.image("named")


def left(images: Images) -> set[str]:
    return {str(image.id) for image in images.ls(sizes=False)}


def ids(*made: samples.Sample) -> set[str]:
    return {str(sample.config.id) for sample in made}


def test_images_without_a_tag_go_with_their_content(images: Images, put: Put, store: Store) -> None:
    put(OLD)
    put(NAMED, "app:1")
    removals = images.prune()
    assert [str(removal) for removal in removals] == [
        f"Deleted: {OLD.config.id}",
        f"Deleted: {OLD.config.diff_ids[0]}",
    ]
    assert sum(removal.size for removal in removals) == sum(map(len, OLD.blobs.values()))
    assert not any(map(store.has, OLD.blobs))
    assert left(images) == ids(NAMED)
    assert images.prune() == ()


def test_what_only_a_digest_names_is_dangling(images: Images, put: Put, store: Store) -> None:
    put(OLD)
    pinned = Reference.parse(f"app@{OLD.manifest.digest}")
    store.add(OLD.manifest, OLD.config, (), [pinned])
    assert next(removal.untagged for removal in images.prune()) == pinned


def test_all_takes_named_images_too(images: Images, put: Put) -> None:
    put(OLD)
    put(NAMED, "app:1", "app:2")
    names = [each.untagged.familiar for each in images.prune(all=True) if each.untagged]
    assert names == ["app:1", "app:2"]
    assert left(images) == set()


def test_what_several_share_counts_once_and_goes_with_the_last(
    images: Images, put: Put, store: Store
) -> None:
    tall, low = samples.image("x", layers=2), samples.image("x", layers=1)
    put(tall)
    put(low)
    removals = images.prune()
    blobs = tall.blobs | low.blobs
    assert sum(removal.size for removal in removals) == sum(map(len, blobs.values()))
    deleted = [removal.deleted for removal in removals]
    assert len(deleted) == len(set(deleted))
    assert set(deleted) == {tall.config.id, low.config.id, *tall.config.chain_ids}
    assert deleted[-1] == low.config.diff_ids[0]


def test_what_a_left_image_shares_is_not_reclaimed(images: Images, put: Put, store: Store) -> None:
    tall, low = samples.image("x", layers=2), samples.image("x", layers=1)
    put(tall)
    put(low, "app:1")
    freed = sum(removal.size for removal in images.prune())
    own = set(tall.blobs) - set(low.blobs)
    assert freed == sum(len(tall.blobs[digest]) for digest in own)
    assert all(map(store.has, low.blobs))
    assert store.fsck().clean


@pytest.mark.parametrize(
    ("filters", "gone"),
    [
        ([("until", "2022-01-01T00:00:00Z")], (OLD,)),
        ([("until", "24h")], (OLD, NEW)),
        ([("label", "kind")], (OLD, NEW)),
        ([("label", "kind=new")], (NEW,)),
        ([("label", "kind=new"), ("label", "kind=old")], ()),
        ([("label!", "kind=new")], (OLD,)),
        ([("label!", "kind")], ()),
        ([("label", "kind"), ("until", "2022-01-01")], (OLD,)),
    ],
)
def test_filters_narrow_what_goes(
    images: Images, put: Put, filters: list[tuple[str, str]], gone: tuple[samples.Sample, ...]
) -> None:
    put(OLD)
    put(NEW)
    images.prune(filters=filters)
    assert left(images) == ids(OLD, NEW) - ids(*gone)


@pytest.mark.parametrize("key", ["dangling", "reference", "before", "since", "foo", ""])
def test_filters_of_other_verbs_are_refused(images: Images, put: Put, key: str) -> None:
    put(OLD)
    with pytest.raises(InvalidUsage, match=f"invalid filter '{key}'"):
        images.prune(filters=[(key, "true")])
    assert left(images) == ids(OLD)


def test_content_that_no_image_has_goes_too_unless_filters_choose(
    images: Images, put: Put, store: Store
) -> None:
    put(OLD)
    store.forget(OLD.config.id)
    assert images.prune(filters={"until": "1h"}) == ()
    assert {removal.deleted for removal in images.prune()} == set(OLD.blobs)


@pytest.mark.parametrize("all_of_them", [False, True])
def test_what_a_live_lease_holds_is_in_use(
    images: Images, put: Put, store: Store, all_of_them: bool
) -> None:
    put(OLD)
    with store.lease() as lease:
        lease.hold(OLD.manifest.digest)
        assert images.prune(all=all_of_them) == ()
        assert left(images) == ids(OLD)
    images.prune(all=all_of_them)
    assert left(images) == set()


def test_what_a_live_run_has_found_is_in_use_until_it_ends(tmp_path: Path) -> None:
    with Host(home=tmp_path, load_entry_points=False) as other:
        other.images.load(BytesIO(NAMED.archive("app:1")))
        with Host(home=tmp_path, run="one", load_entry_points=False) as host:
            host.images.get("app:1", "never")
            assert other.images.prune(all=True) == ()
            host.end_run()
        assert other.images.prune(all=True) != ()


def test_what_a_live_run_has_recorded_is_in_use_until_it_ends(
    images: Images, put: Put, tmp_path: Path
) -> None:
    put(OLD)
    with Store.open(tmp_path / "home", run="lives") as run:
        OLD.put(run, "app:1")
        assert images.prune(all=True) == ()
        assert left(images) == ids(OLD)
    images.prune(all=True)
    assert left(images) == set()


def test_in_a_run_the_images_of_others_are_only_hidden(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Store.open(home) as store:
        NAMED.put(store, "app:1")
        with Host(home=home, run="one", durability="fast", load_entry_points=False) as host:
            host.images.load(BytesIO(OLD.archive("mine:1")))
            freed = sum(removal.size for removal in host.images.prune(all=True))
            assert host.images.ls() == ()
        assert freed == sum(map(len, OLD.blobs.values()))
        assert [str(image.id) for image in store.images()] == [str(NAMED.config.id)]
        assert all(map(store.has, NAMED.blobs))


def test_an_image_that_was_named_meanwhile_stays(store: Store) -> None:
    seen = OLD.put(store)
    store.name(Reference.parse("app:1"), OLD.config.id)
    assert store.forget_unchanged([seen], delete=True) == ()
    assert [str(image.id) for image in store.images()] == [str(OLD.config.id)]
