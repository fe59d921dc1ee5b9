from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_images.content.facts import LayerFacts
from pytest_images.content.store import Store
from pytest_images.errors import (
    AmbiguousImage,
    BlobNotFound,
    DigestMismatch,
    ImageNotFound,
    InvalidUsage,
    SizeMismatch,
)
from pytest_images.model.digest import Digest
from pytest_images.model.image import Removal
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector
from pytest_images.testing import samples
from tests.ledger import refused

ONE, TWO = samples.image("one", layers=2, labels={"a": "b"}), samples.image("two")
APP = Reference.parse("app:1")


def names(store: Store) -> dict[str, str]:
    """What each tag stands for, as short IDs."""
    return {tag.familiar: image.id.short for image in store.images() for tag in image.tags}


def test_an_image_is_found_by_name_id_and_prefix(store: Store) -> None:
    made = ONE.put(store, "app:1")
    for text in ("app:1", "docker.io/library/app:1", str(made.id), made.id.encoded, made.id.short):
        assert store.image(Selector.parse(text)).id == made.id


def test_an_image_has_what_its_documents_say(store: Store) -> None:
    image = ONE.put(store, "app:1", "app:2")
    assert image.manifest.digest == ONE.manifest.digest
    assert image.manifest.size == len(ONE.manifest.raw)
    assert image.platform == ONE.config.platform
    assert image.labels == {"a": "b"}
    assert [tag.familiar for tag in image.tags] == ["app:1", "app:2"]
    assert image.created is not None
    assert image.created.isoformat() == "2024-05-22T18:18:12+00:00"
    assert store.images() == (image,)


def flushes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The descriptors that are flushed from now on."""
    found: list[int] = []
    original = os.fsync

    def fsync(descriptor: int) -> None:
        found.append(descriptor)
        original(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_what_is_recorded_just_so_already_waits_for_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path / "safe") as store:
        ONE.put(store, "app:1")
        waited = flushes(monkeypatch)
        assert store.add(ONE.manifest, ONE.config, [APP]) == {}
        assert waited == []
        store.add(ONE.manifest, ONE.config, [Reference.parse("app:2")])
        assert waited
        assert names(store) == {"app:1": ONE.config.id.short, "app:2": ONE.config.id.short}


def test_a_blob_that_was_written_anew_is_waited_for_though_its_image_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path / "safe") as store:
        ONE.put(store, "app:1")
        store.path(ONE.config.id).unlink()
        waited = flushes(monkeypatch)
        store.put(ONE.config.raw, ONE.config.id)
        before = len(waited)
        store.add(ONE.manifest, ONE.config, [APP])
        assert len(waited) > before


def test_a_name_that_another_image_has_is_taken_back(store: Store) -> None:
    ONE.put(store, "app:1")
    TWO.put(store, "app:1")
    assert store.add(ONE.manifest, ONE.config, [APP]) == {APP: TWO.config.id}
    assert names(store) == {"app:1": ONE.config.id.short}


def test_tags_of_an_image_get_another_manifest_and_those_of_others_do_not(store: Store) -> None:
    """Only what stands for the old one moves: other images, pinned names, other manifests stay."""
    image = ONE.put(store, "app:1", "app:2")
    TWO.put(store, "app:3")
    packed = samples.image("one", layers=2, labels={"a": "b"}, compression="zstd")
    assert packed.config == ONE.config
    for layer, content in packed.blobs.items():
        store.put(content, layer)
    store.exchange(ONE.manifest.digest, packed.manifest, ONE.config)
    assert store.image(Selector.parse("app:1")).digest == packed.manifest.digest
    assert store.image(Selector.parse("app:2")).digest == packed.manifest.digest
    assert store.manifest_of(image.id) == packed.manifest
    assert store.image(Selector.parse("app:3")).digest == TWO.manifest.digest
    store.exchange(ONE.manifest.digest, ONE.manifest, ONE.config)  # nothing has that any more
    assert store.image(Selector.parse("app:1")).digest == packed.manifest.digest


def test_documents_come_back_byte_for_byte(store: Store) -> None:
    image = ONE.put(store, "app:1")
    assert store.manifest_of(image.id) == ONE.manifest
    assert store.config_of(image.id) == ONE.config
    assert store.index_of(image.id) is None


def test_what_is_not_here_is_named(store: Store) -> None:
    for text in ("app:1", "0" * 12, "sha256:" + "0" * 64):
        with refused(ImageNotFound, text):
            store.image(Selector.parse(text))
    for ask in (store.manifest_of, store.config_of, store.index_of, store.forget):
        with refused(ImageNotFound, "0" * 64):
            ask(Digest.parse("sha256:" + "0" * 64))


def test_the_start_of_two_ids_is_ambiguous(store: Store) -> None:
    by_digit: dict[str, Digest] = {}
    for number in range(20):
        made = samples.image(f"{number}").put(store)
        if made.id.encoded[0] in by_digit:
            with refused(AmbiguousImage, "2 images"):
                store.image(Selector.parse("sha256:" + made.id.encoded[0]))
            return
        by_digit[made.id.encoded[0]] = made.id
    pytest.fail("20 images with 16 first digits, and no two alike")


def test_a_name_wins_over_the_start_of_an_id(store: Store) -> None:
    two = TWO.put(store)
    ONE.put(store, two.id.encoded[:6])
    assert store.image(Selector.parse(two.id.encoded[:6])).id == ONE.config.id


def test_a_name_that_moves_says_what_it_stood_for(store: Store) -> None:
    ONE.put(store, "app:1")
    TWO.put(store)
    assert store.add(ONE.manifest, ONE.config, [APP]) == {}
    assert store.add(TWO.manifest, TWO.config, [APP]) == {APP: ONE.config.id}
    assert store.name(APP, ONE.config.id) == TWO.config.id
    assert store.name(Reference.parse("new:1"), ONE.config.id) is None
    assert store.image(Selector.parse(str(TWO.config.id))).is_dangling


def test_an_unknown_image_cannot_be_named(store: Store) -> None:
    with refused(ImageNotFound):
        store.name(APP, ONE.config.id)
    assert store.unname(APP) is None


@pytest.mark.parametrize("text", ["app", "app:1@sha256:" + "0" * 64, "app@sha256:" + "0" * 64])
def test_only_a_tag_moves(store: Store, text: str) -> None:
    image = ONE.put(store)
    with refused(InvalidUsage):
        store.name(Reference.parse_bare(text), image.id)


def test_an_image_needs_all_its_blobs(store: Store) -> None:
    for digest, content in ONE.blobs.items():
        with refused(BlobNotFound):
            store.add(ONE.manifest, ONE.config, [APP])
        store.put(content, digest)
    store.add(ONE.manifest, ONE.config, [APP])
    assert len(store.images()) == 1


def test_a_blob_of_another_size_is_not_the_layer(store: Store) -> None:
    for digest, content in ONE.blobs.items():
        store.put(content, digest)
    store.path(ONE.manifest.layers[0].digest).write_bytes(b"short")
    with refused(SizeMismatch, ONE.manifest.layers[0].digest.encoded):
        store.add(ONE.manifest, ONE.config, [APP])


def test_a_config_of_another_image_is_refused(store: Store) -> None:
    ONE.put(store)
    with refused(DigestMismatch):
        store.add(ONE.manifest, TWO.config, [APP])


def test_a_pinned_name_yields_exactly_that_manifest(store: Store) -> None:
    ONE.put(store)
    pinned = Reference.parse(f"app:1@{ONE.manifest.digest}")
    store.add(ONE.manifest, ONE.config, [APP], [pinned])
    image = store.image(Selector.of(pinned))
    assert image.digest == ONE.manifest.digest
    assert [str(d) for d in image.digests] == [f"docker.io/library/app@{ONE.manifest.digest}"]
    with refused(ImageNotFound):
        store.image(Selector.parse(f"app@{TWO.manifest.digest}"))
    with refused(ImageNotFound):
        store.image(Selector.parse(f"other@{ONE.manifest.digest}"))


def test_a_tag_is_found_by_its_manifests_digest_too(store: Store) -> None:
    ONE.put(store, "app:1")
    assert store.image(Selector.parse(f"app@{ONE.manifest.digest}")).id == ONE.config.id


def test_an_index_stays_with_the_image_chosen_from_it(store: Store) -> None:
    both = samples.index(ONE, samples.image("one", platform="linux/arm64"))
    ONE.put(store)
    store.put(both.index.raw)
    pinned = Reference.parse(f"app@{both.index.digest}")
    store.add(ONE.manifest, ONE.config, [APP], [pinned], both.index.digest)
    assert store.index_of(ONE.config.id) == both.index
    assert store.image(Selector.of(pinned)).id == ONE.config.id
    store.collect(0)
    assert store.has(both.index.digest)


def test_one_config_may_have_two_manifests(store: Store) -> None:
    plain, zipped = samples.image("x", compression="none"), samples.image("x")
    assert plain.config.id == zipped.config.id
    plain.put(store, "plain:1")
    zipped.put(store, "zipped:1")
    assert store.image(Selector.parse("plain:1")).digest == plain.manifest.digest
    assert store.image(Selector.parse("zipped:1")).digest == zipped.manifest.digest
    assert len(store.images()) == 1
    store.collect(0)
    assert all(store.has(digest) for digest in (plain.blobs | zipped.blobs))


def test_a_name_taken_away_leaves_the_image(store: Store) -> None:
    ONE.put(store, "app:1", "app:2")
    assert store.unname(APP) == ONE.config.id
    assert store.unname(APP) is None
    assert names(store) == {"app:2": ONE.config.id.short}


def test_forgetting_takes_all_names_and_keeps_the_blobs(store: Store) -> None:
    ONE.put(store, "app:1", "app:2")
    removals = store.forget(ONE.config.id)
    assert removals == (
        Removal(untagged=APP),
        Removal(untagged=Reference.parse("app:2")),
        Removal(deleted=ONE.config.id),
    )
    assert store.images() == ()
    assert all(map(store.has, ONE.blobs))


def test_forgetting_may_free_what_nothing_else_reaches(store: Store) -> None:
    base = samples.image("base", layers=1)
    shared = base.manifest.layers[0].digest
    base.put(store, "base:1")
    on_top = samples.image("base", layers=2)
    assert on_top.manifest.layers[0].digest == shared
    on_top.put(store, "top:1")
    removals = store.forget(on_top.config.id, delete=True)
    freed = sum(removal.size for removal in removals)
    assert freed == sum(len(c) for d, c in on_top.blobs.items() if d not in base.blobs)
    assert store.has(shared)
    assert not store.has(on_top.config.id)


def test_what_a_lease_holds_is_not_freed(store: Store) -> None:
    ONE.put(store, "app:1")
    with store.lease() as lease:
        lease.hold(ONE.manifest.layers[0].digest)
        store.forget(ONE.config.id, delete=True)
        assert store.has(ONE.manifest.layers[0].digest)
        assert not store.has(ONE.manifest.layers[1].digest)


def test_the_size_is_known_once_every_layer_was_looked_into(store: Store) -> None:
    ONE.put(store, "app:1")
    for number, layer in enumerate(ONE.manifest.layers):
        assert store.image(Selector.of(APP)).size is None
        assert store.layer(layer.digest) is None
        facts = LayerFacts(Digest.of(ONE.tars[number]), len(ONE.tars[number]), 1000)
        store.add_layer(layer.digest, facts)
        assert store.layer(layer.digest) == facts
    assert store.image(Selector.of(APP)).size == 2000
    assert store.images()[0].size == 2000


def test_layers_looked_into_before_count_for_a_later_image(store: Store) -> None:
    for number, layer in enumerate(ONE.manifest.layers):
        facts = LayerFacts(Digest.of(ONE.tars[number]), len(ONE.tars[number]), 1000)
        store.add_layer(layer.digest, facts)
    assert ONE.put(store, "app:1").size == 2000


def test_what_a_registry_said_is_remembered_with_the_time(store: Store) -> None:
    assert store.remembered(APP) is None
    store.remember(APP, ONE.manifest.digest)
    store.remember(APP, TWO.manifest.digest)
    remembered = store.remembered(APP)
    assert remembered is not None
    assert remembered[0] == TWO.manifest.digest
    assert remembered[1] > 1.7e9


def test_images_come_newest_first_and_those_without_a_time_last(store: Store) -> None:
    import json

    from pytest_images.model.config import Config
    from pytest_images.model.manifest import Manifest

    expected = []
    for created in (
        "2020-01-01T00:00:00Z",
        "",
        "2024-01-01T00:00:00.123456789+02:00",
        "0001-01-01T00:00:00Z",
        "soon",
    ):
        document = json.loads(ONE.config.raw) | {"created": created}
        config = Config.parse(json.dumps(document).encode())
        pointer = {**json.loads(ONE.manifest.raw)}
        pointer["config"] = pointer["config"] | {"digest": str(config.id), "size": len(config.raw)}
        manifest = Manifest.parse(json.dumps(pointer).encode())
        for raw in (config.raw, manifest.raw, *ONE.layers):
            store.put(raw)
        store.add(manifest, config)
        expected.append((created, config.id))
    order = [image.id for image in store.images()]
    by_text = dict(expected)
    assert order[:3] == [
        by_text["2024-01-01T00:00:00.123456789+02:00"],
        by_text["2020-01-01T00:00:00Z"],
        by_text["0001-01-01T00:00:00Z"],
    ]
    assert {image.created is None for image in store.images()[3:]} == {True}


def test_usage_counts_what_is_reached_and_what_is_cache(store: Store) -> None:
    ONE.put(store, "app:1", "app:2")
    TWO.put(store, "two:1")
    store.forget(TWO.config.id)
    usage = store.usage()
    assert (usage.images, usage.names) == (1, 2)
    assert usage.blobs == len(ONE.blobs) + len(TWO.blobs)
    assert usage.cache_size == sum(map(len, TWO.blobs.values()))
    assert usage.size == usage.cache_size + sum(map(len, ONE.blobs.values()))


def test_recording_the_same_again_writes_nothing(store: Store) -> None:
    ONE.put(store, "app:1")
    before = {path: path.stat().st_mtime_ns for path in (store.root / "records").rglob("*")}
    ONE.put(store, "app:1")
    assert {path: path.stat().st_mtime_ns for path in (store.root / "records").rglob("*")} == before


def test_when_a_run_gave_a_name_ends_with_the_run(root: Path) -> None:
    with Store.open(root) as store:
        image = samples.image("one").put(store, "app:1").id
        with Store.open(root, run="r1") as run:
            run.name(Reference.parse("app:2"), image, tagged="2024-05-01T00:00:00Z")
            assert run.tagged(image) == "2024-05-01T00:00:00Z"
            assert run.fsck().clean
        assert store.tagged(image) == ""
