from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import DigestMismatch, InvalidArchive, StoreError
from pytest_images.hookspecs import hookimpl
from pytest_images.model.progress import Phase, Progress
from pytest_images.testing import samples
from tests.archive.packed import dump, packed, path_of, unpacked
from tests.engine.conftest import loaded
from tests.ledger import refused

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.reference import Reference
    from tests.engine.conftest import Put

ONE, TWO = samples.image("one"), samples.image("two", size=70)


def test_an_image_is_named_as_its_archive_says(images: Images) -> None:
    (first, second) = loaded(images, ONE.archive("app:1", "other.test/app:2"))
    assert [str(first.reference), str(second.reference)] == [
        "docker.io/library/app:1",
        "other.test/app:2",
    ]
    assert first.image.reference == first.reference
    assert (first.image.id, first.image.size) == (ONE.config.id, 1000)
    assert images.inspect("app:1").manifest == ONE.manifest


def test_an_image_without_a_name_is_loaded_dangling(images: Images) -> None:
    (only,) = loaded(images, ONE.archive())
    assert only.reference is None
    assert [image.id for image in images.ls() if image.is_dangling] == [ONE.config.id]


def test_a_name_moves_and_says_from_where(images: Images, put: Put) -> None:
    before = put(TWO, "app:1")
    (only,) = loaded(images, ONE.archive("app:1"))
    assert only.displaced == before.id
    assert {image.id: bool(image.tags) for image in images.ls()} == {
        ONE.config.id: True,
        TWO.config.id: False,
    }


def test_loading_again_displaces_nothing(images: Images) -> None:
    loaded(images, ONE.archive("app:1"))
    (again,) = loaded(images, ONE.archive("app:1"))
    assert again.displaced is None


def test_a_layout_folder_is_loaded(images: Images, tmp_path: Path) -> None:
    (only,) = images.load(ONE.layout(tmp_path / "layout", "app:1"))
    assert only.image.id == ONE.config.id


def test_one_config_with_two_manifests_keeps_a_manifest_for_each_name(images: Images) -> None:
    zstd = samples.image("one", compression="zstd")
    assert zstd.config == ONE.config
    loaded(images, ONE.archive("app:gzip"))
    loaded(images, zstd.archive("app:zstd"))
    assert images.inspect("app:gzip").manifest == ONE.manifest
    assert images.inspect("app:zstd").manifest == zstd.manifest


def test_each_layer_says_how_far_it_is(images: Images) -> None:
    events: list[Progress] = []

    class Hears:
        @hookimpl
        def images_progress(self, event: Progress) -> None:
            events.append(event)

    large = samples.image("large", size=300_000)
    with images.answering(Hears()):
        loaded(images, large.archive("app:1", form="docker-old"))
        loaded(images, ONE.archive("app:2"))
    layers = [event for event in events if event.kind == "layer"]
    first = [event for event in layers if event.total == len(large.tars[0])]
    assert [event.phase for event in first] == [Phase.MOVING, Phase.DONE]
    assert first[-1].done == first[-1].total
    assert [event.item for event in layers][2:] == [str(ONE.manifest.layers[0].digest)]


def two_images(second_layer: bytes) -> bytes:
    files = {path_of(raw): raw for raw in (*ONE.blobs.values(), *TWO.blobs.values())}
    entries = []
    for sample in (ONE, TWO):
        files |= {path_of(sample.config.raw): sample.config.raw}
        entries += [{"Config": path_of(sample.config.raw), "RepoTags": None, "Layers": ["x"]}]
    entries[0] |= {"Layers": [path_of(ONE.layers[0])], "RepoTags": ["one:1"]}
    entries[1] |= {"Layers": ["second.tar"], "RepoTags": ["two:1"]}
    return packed({**files, "second.tar": second_layer, "manifest.json": dump(entries)})


def test_all_images_of_an_archive_are_loaded(images: Images) -> None:
    found = loaded(images, two_images(TWO.layers[0]))
    assert [each.image.id for each in found] == [ONE.config.id, TWO.config.id]


def test_a_broken_image_keeps_the_others_of_its_archive_out(images: Images) -> None:
    with refused(DigestMismatch, "second.tar"):
        loaded(images, two_images(ONE.layers[0]))
    assert images.ls() == ()


def test_what_cannot_be_recorded_takes_back_what_was(
    images: Images, put: Put, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(samples.image("before"), "one:1")
    add = type(store).add

    def fails_for_two(self: Store, *args: object, **kwargs: object) -> dict[Reference, object]:
        if args[1] == TWO.config:
            raise StoreError("disk", "it fails")
        return add(self, *args, **kwargs)  # type: ignore[arg-type, return-value] # passed on

    monkeypatch.setattr(type(store), "add", fails_for_two)
    with refused(StoreError, "it fails"):
        loaded(images, two_images(TWO.layers[0]))
    (left,) = images.ls()
    assert [name.familiar for name in left.tags] == ["one:1"]
    assert left.id == samples.image("before").config.id


def test_a_blob_that_is_missing_loads_nothing(images: Images) -> None:
    files = unpacked(ONE.archive("app:1"))
    del files[path_of(ONE.layers[0])]
    with refused(InvalidArchive, "not in it"):
        loaded(images, packed(files))
    assert images.ls() == ()
