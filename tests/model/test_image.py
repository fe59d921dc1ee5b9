from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from pytest_images.model.digest import Digest
from pytest_images.model.image import BuildResult, HistoryLine, Image, Loaded, Pushed, Removal
from pytest_images.model.inspection import Inspection
from pytest_images.model.progress import Phase, Progress
from pytest_images.model.reference import Reference
from pytest_images.testing import samples

SAMPLE = samples.image()
NAME = Reference.parse("app:1")
IMAGE = Image(
    SAMPLE.config.id,
    SAMPLE.manifest.descriptor,
    SAMPLE.config.platform,
    reference=NAME,
    tags=(NAME,),
    created=datetime(2024, 5, 22, tzinfo=UTC),
    labels={"a": "1"},
)


def test_an_image_shows_as_its_name_or_its_id() -> None:
    assert str(IMAGE) == "docker.io/library/app:1"
    nameless = Image(IMAGE.id, IMAGE.manifest, IMAGE.platform)
    assert str(nameless) == str(IMAGE.id)
    assert nameless.is_dangling
    assert not IMAGE.is_dangling


def test_an_images_digest_is_its_manifests() -> None:
    assert IMAGE.digest == SAMPLE.manifest.digest != IMAGE.id


def test_labels_of_an_image_are_its_own_and_cannot_be_changed() -> None:
    labels = {"a": "1"}
    image = Image(IMAGE.id, IMAGE.manifest, IMAGE.platform, labels=labels)
    labels["a"] = "2"
    assert image.labels == {"a": "1"}
    with pytest.raises(TypeError):
        image.labels["a"] = "2"  # type: ignore[index]  # the attempt is the test


def test_a_removal_shows_as_docker_says_it() -> None:
    assert str(Removal(untagged=NAME)) == "Untagged: app:1"
    assert str(Removal(deleted=IMAGE.id)) == f"Deleted: {IMAGE.id}"


@pytest.mark.parametrize(
    "value",
    [
        IMAGE,
        Loaded(IMAGE, NAME, Digest.of(b"x")),
        Removal(untagged=NAME),
        Pushed(NAME, IMAGE.manifest),
        HistoryLine(IMAGE.id, "now", "ADD", 1, tags=(NAME,)),
        BuildResult(IMAGE, "log", ("w",)),
        Inspection(IMAGE, SAMPLE.config, SAMPLE.manifest, "now"),
        Progress("pull", "app:1", phase=Phase.MOVING, done=1, total=2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_verbs_give_back_travels_compares_and_hashes(value: object) -> None:
    other = pickle.loads(pickle.dumps(value))
    assert other == value
    assert hash(other) == hash(value)


def test_an_image_is_equal_to_itself_however_it_was_found() -> None:
    listed = Image(IMAGE.id, IMAGE.manifest, IMAGE.platform, tags=(NAME,), size=7)
    assert listed == IMAGE
    assert {listed, IMAGE} == {IMAGE}
    other = samples.image("other").config.id
    assert Image(other, IMAGE.manifest, IMAGE.platform, reference=NAME, tags=(NAME,)) != IMAGE
