from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.content.durability import Durability
from pytest_images.content.facts import LayerFacts
from pytest_images.content.store import Store
from pytest_images.errors import (
    AmbiguousImage,
    BlobNotFound,
    ImageNotFound,
    InvalidUsage,
    StoreDamaged,
)
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pathlib import Path

APP = Reference.parse("app:1")


def find(store: Store, text: str) -> str:
    return str(store.image(Selector.parse(text)).id)


def test_an_image_is_found_by_name_digest_id_and_the_start_of_its_id(store: Store) -> None:
    sample = samples.image("found")
    pinned = Reference.parse_bare(f"app@{sample.manifest.digest}")
    sample.put(store)
    store.add(sample.manifest, sample.config, [APP], [pinned])
    expected = str(sample.config.id)
    for text in ("app:1", str(pinned), expected, sample.config.id.encoded, expected[7:19]):
        assert find(store, text) == expected


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(ImageNotFound, match="app"):
        find(store, "app:1")


def test_the_start_of_two_ids_is_ambiguous(store: Store) -> None:
    ids = [samples.image(str(number)).put(store).id.encoded for number in range(17)]
    doubled = next(i[0] for i in ids if sum(other[0] == i[0] for other in ids) > 1)
    with pytest.raises(AmbiguousImage):
        find(store, doubled)


def test_a_name_that_moves_tells_what_it_stood_for(store: Store) -> None:
    first, second = samples.image("first"), samples.image("second")
    first.put(store, "app:1")
    second.put(store)
    moved = store.add(second.manifest, second.config, [APP])
    assert moved == {APP: first.config.id}
    assert store.name(APP, first.config.id) == second.config.id


def test_an_image_without_its_blobs_is_not_recorded(store: Store) -> None:
    sample = samples.image("incomplete")
    with pytest.raises(BlobNotFound):
        store.add(sample.manifest, sample.config, [APP])
    assert store.images() == ()


def test_a_name_that_goes_leaves_the_image_dangling(store: Store) -> None:
    sample = samples.image("dangling")
    sample.put(store, "app:1")
    assert store.unname(APP) == sample.config.id
    [image] = store.images()
    assert image.is_dangling
    assert store.unname(APP) is None


def test_an_image_that_is_forgotten_takes_its_names_along(store: Store) -> None:
    sample = samples.image("forgotten")
    sample.put(store, "app:1", "app:2")
    removals = store.forget(sample.config.id)
    assert {str(r.untagged) for r in removals if r.untagged} == {
        "docker.io/library/app:1",
        "docker.io/library/app:2",
    }
    assert store.images() == ()


def test_forgetting_with_delete_frees_the_blobs_that_nobody_else_reaches(store: Store) -> None:
    shared, other = samples.image("shared"), samples.image("other")
    shared.put(store, "app:1")
    other.put(store, "other:1")
    store.forget(shared.config.id, delete=True)
    assert not any(map(store.has, shared.blobs))
    assert all(map(store.has, other.blobs))


def test_documents_come_back_byte_for_byte(store: Store) -> None:
    sample = samples.image("documents", docker=True)
    sample.put(store, "app:1")
    assert store.manifest_of(sample.config.id).raw == sample.manifest.raw
    assert store.config_of(sample.config.id).raw == sample.config.raw


def test_the_size_of_an_image_is_known_when_all_its_layers_are(store: Store) -> None:
    sample = samples.image("sized", layers=2)
    assert sample.put(store, "app:1").size is None
    for layer, tar in zip(sample.layers, sample.tars, strict=True):
        store.add_layer(Digest.of(layer), LayerFacts(Digest.of(tar), len(tar), 1000))
    assert store.image(Selector.parse("app:1")).size == 2000


def test_what_a_registry_said_is_remembered(store: Store) -> None:
    digest = Digest.of(b"said")
    assert store.remembered(APP) is None
    store.remember(APP, digest)
    remembered = store.remembered(APP)
    assert remembered is not None
    assert remembered[0] == digest


def test_another_process_sees_what_was_acknowledged(store: Store, root: Path) -> None:
    sample = samples.image("seen")
    sample.put(store, "app:1")
    with Store.open(root) as other:
        assert find(other, "app:1") == str(sample.config.id)


def test_a_blob_that_was_damaged_on_the_disk_is_never_returned(store: Store) -> None:
    digest = store.put(b"content that is right")
    store.path(digest).chmod(0o600)
    store.path(digest).write_bytes(b"content that is wrong")
    with pytest.raises(StoreDamaged, match=digest.encoded[:12]):
        store.read(digest)


def test_putting_a_damaged_blob_again_heals_it(store: Store) -> None:
    digest = store.put(b"content that is right")
    store.path(digest).chmod(0o600)
    store.path(digest).write_bytes(b"content that is wrong")
    assert store.put(b"content that is right") == digest
    assert store.read(digest) == b"content that is right"


def test_two_runs_can_give_the_same_name(root: Path) -> None:
    first, second = samples.image("first"), samples.image("second")
    with (
        Store.open(root, run="one", durability=Durability.FAST) as one,
        Store.open(root, run="two", durability=Durability.FAST) as two,
    ):
        first.put(one, "app:test")
        second.put(two, "app:test")
        assert find(one, "app:test") == str(first.config.id)
        assert find(two, "app:test") == str(second.config.id)
    with Store.open(root) as outside, pytest.raises(ImageNotFound):
        find(outside, "app:test")


def test_a_run_sees_global_names_and_hides_them_for_itself_alone(root: Path) -> None:
    sample = samples.image("global")
    with (
        Store.open(root, durability=Durability.FAST) as outside,
        Store.open(root, run="one", durability=Durability.FAST) as one,
    ):
        sample.put(outside, "app:1")
        assert find(one, "app:1") == str(sample.config.id)
        one.unname(APP)
        with pytest.raises(ImageNotFound):
            find(one, "app:1")
        assert find(outside, "app:1") == str(sample.config.id)


def test_a_run_that_ended_left_its_blobs_only(root: Path) -> None:
    sample = samples.image("ended")
    with Store.open(root, durability=Durability.FAST) as outside:
        with Store.open(root, run="one", durability=Durability.FAST) as one:
            sample.put(one, "app:1")
        assert outside.end_run("one")
        assert outside.end_run("one") == ()
        assert outside.images() == ()
        assert all(map(outside.has, sample.blobs))


def test_a_run_that_lives_is_not_swept_and_a_dead_one_is(root: Path) -> None:
    with Store.open(root, durability=Durability.FAST) as outside:
        with Store.open(root, run="one", durability=Durability.FAST) as one:
            samples.image("lives").put(one, "app:1")
            outside.sweep()
            assert len(one.images()) == 1
        outside.sweep()
        assert list((root / "runs").iterdir()) == []


@pytest.mark.parametrize("run", ["../out", "a/b", "", "x" * 500, "a\n"])
def test_a_run_id_that_could_be_a_path_is_refused(root: Path, run: str) -> None:
    with pytest.raises(InvalidUsage):
        Store.open(root, run=run)
