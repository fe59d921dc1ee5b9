from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.errors import (
    AmbiguousImage,
    BlobNotFound,
    ImageNotFound,
    InvalidLayer,
    InvalidUsage,
    PlatformNotFound,
    StoreDamaged,
)
from pytest_images.host import Host
from pytest_images.testing import samples
from tests.archive.indexes import put_index
from tests.archive.packed import unpacked
from tests.engine.conftest import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from tests.engine.conftest import Put

ONE, TWO = samples.image("one", layers=2), samples.image("two")
ARM = samples.image("arm", platform="linux/arm64")
S390 = samples.image("s390", platform="linux/s390x")
INDEX = samples.index(ONE, ARM, S390)


def saved(images: Images, *things: str, **options: Any) -> bytes:
    out = BytesIO()
    images.save(things, out, **options)
    return out.getvalue()


def document(archive: bytes, path: str) -> Any:
    return json.loads(bytes(unpacked(archive)[path]))  # type: ignore[arg-type] # a file, no link


def names(archive: bytes) -> dict[str, list[str] | None]:
    """RepoTags by image ID."""
    listed = document(archive, "manifest.json")
    return {entry["Config"].rpartition("/")[2]: entry["RepoTags"] for entry in listed}


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Images]:
    """A second store, to load into."""
    home = tmp_path / "other"
    with Host(home=home, durability="fast", load_entry_points=False) as host:
        yield host.images


def test_a_name_is_written_as_it_was_asked_for(images: Images, put: Put) -> None:
    put(ONE, "app:1", "app:2")
    assert names(saved(images, "app:1")) == {ONE.config.id.encoded: ["app:1"]}


def test_the_tag_latest_is_no_other_than_it_says(images: Images, put: Put) -> None:
    put(ONE, "app:latest", "app:2")
    assert names(saved(images, "app:latest")) == {ONE.config.id.encoded: ["app:latest"]}


def test_a_repository_stands_for_all_its_tags(images: Images, put: Put) -> None:
    put(ONE, "app:1", "app:2", "app2:1")
    put(TWO, "app:3", "other.test/app:1")
    assert names(saved(images, "app")) == {
        ONE.config.id.encoded: ["app:1", "app:2"],
        TWO.config.id.encoded: ["app:3"],
    }


@pytest.mark.parametrize("text", ["{0}", "{0.encoded}", "{0.short}", "sha256:{0.short}"])
def test_an_id_gives_no_name(images: Images, put: Put, text: str) -> None:
    put(ONE, "app:1")
    assert names(saved(images, text.format(ONE.config.id))) == {ONE.config.id.encoded: None}


def test_a_digest_gives_no_name(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    archive = saved(images, f"app@{ONE.manifest.digest}")
    assert names(archive) == {ONE.config.id.encoded: None}


def test_a_name_and_an_id_of_one_image_are_one_entry(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    assert names(saved(images, str(ONE.config.id), "app:1")) == {ONE.config.id.encoded: ["app:1"]}


@pytest.mark.parametrize("form", ["both", "oci", "docker"])
def test_what_was_saved_is_loaded_with_its_id_and_names(
    images: Images, put: Put, other: Images, form: str
) -> None:
    put(ONE, "app:1", "x.test/app:2")
    put(TWO, "two:1")
    found = loaded(other, saved(images, "app:1", "x.test/app:2", "two:1", form=form))
    assert {str(each.reference): each.image.id for each in found} == {
        "docker.io/library/app:1": ONE.config.id,
        "x.test/app:2": ONE.config.id,
        "docker.io/library/two:1": TWO.config.id,
    }


@pytest.mark.parametrize("form", ["both", "oci"])
def test_digests_stay_as_they_are(images: Images, put: Put, other: Images, form: str) -> None:
    zstd = samples.image("zstd", compression="zstd", docker=False)
    put(zstd, "app:1")
    loaded(other, saved(images, "app:1", form=form))
    assert other.inspect("app:1").manifest.raw == zstd.manifest.raw


def test_names_for_two_manifests_of_one_config_keep_theirs(
    images: Images, put: Put, other: Images
) -> None:
    zstd = samples.image("one", layers=2, compression="zstd")
    assert zstd.config.id == ONE.config.id
    put(ONE, "app:gzip")
    put(zstd, "app:zstd")
    found = loaded(other, saved(images, "app"))
    assert [str(each.reference.tag) for each in found if each.reference] == ["gzip", "zstd"]
    assert other.inspect("app:gzip").manifest == ONE.manifest
    assert other.inspect("app:zstd").manifest == zstd.manifest


def test_the_same_images_give_the_same_bytes(images: Images, put: Put, other: Images) -> None:
    put(ONE, "one:1", "one:2")
    put(TWO, "two:1")
    archive = saved(images, "one:1", "two:1", "one:2")
    assert saved(images, "two:1", "one:2", "one:1") == archive
    loaded(other, archive)
    assert saved(other, "one", "two") == archive


def test_the_images_are_returned_as_they_were_asked_for(images: Images, put: Put) -> None:
    put(ONE, "one:1")
    put(TWO, "two:1")
    found = images.save(["two:1", str(ONE.config.id), "one:1"], BytesIO())
    assert [str(image) for image in found] == [
        "docker.io/library/two:1",
        str(ONE.config.id),
        "docker.io/library/one:1",
    ]


@pytest.mark.parametrize("missing", ["missing", "missing:1", "sha256:" + "0" * 64, "0123"])
def test_what_is_not_here_is_refused_before_anything_is_written(
    images: Images, put: Put, missing: str
) -> None:
    put(ONE, "one:1")
    out = BytesIO()
    with pytest.raises(ImageNotFound, match=missing):
        images.save(["one:1", missing], out)
    assert out.getvalue() == b""


def test_the_start_of_several_ids_is_refused(images: Images, put: Put) -> None:
    for number in range(17):
        put(samples.image(str(number)))
    starts = [image.id.encoded[0] for image in images.ls()]
    double = next(start for start in starts if starts.count(start) > 1)
    with pytest.raises(AmbiguousImage):
        saved(images, double)


def test_an_unknown_form_is_refused(images: Images, put: Put) -> None:
    put(ONE, "one:1")
    with pytest.raises(InvalidUsage, match="both, oci, docker"):
        saved(images, "one:1", form="squashfs")


def test_a_blob_that_is_gone_is_missed_before_anything_is_written(
    images: Images, put: Put, store: Store
) -> None:
    put(ONE, "one:1")
    store.path(ONE.manifest.layers[1].digest).unlink()
    out = BytesIO()
    with pytest.raises(BlobNotFound):
        images.save("one:1", out)
    assert out.getvalue() == b""


@pytest.fixture(params=[1000, 3 << 20])
def damaged(request: pytest.FixtureRequest, put: Put, store: Store) -> str:
    """An image with a bit flipped in the middle of its layer, small or large."""
    sample = samples.image("damaged", size=request.param)
    put(sample, "app:1")
    path = store.path(sample.manifest.layers[0].digest)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    return "app:1"


@pytest.mark.parametrize("form", ["both", "oci", "docker"])
def test_a_damaged_blob_is_not_passed_on(
    images: Images, damaged: str, tmp_path: Path, form: str
) -> None:
    target = tmp_path / "saved.tar"
    target.write_text("what was there before")
    with pytest.raises((StoreDamaged, InvalidLayer)):
        images.save(damaged, target, form=form)  # type: ignore[arg-type] # one of the forms
    assert target.read_text() == "what was there before"
    assert [each.name for each in tmp_path.glob(".*")] == []


def test_an_index_that_is_here_whole_is_kept(images: Images, store: Store, other: Images) -> None:
    put_index(store, INDEX, "app:1")
    archive = saved(images, "app:1")
    top = document(archive, "index.json")
    assert [each["digest"] for each in top["manifests"]] == [str(INDEX.index.digest)]
    assert names(archive) == {ONE.config.id.encoded: ["app:1"]}
    other.load(BytesIO(archive), platforms="linux/s390x")
    assert other.inspect("app:1").image.id == S390.config.id


def test_of_an_index_that_is_not_whole_the_image_is_saved_alone(
    images: Images, store: Store
) -> None:
    put_index(store, INDEX, "app:1", without=(ARM,))
    top = document(saved(images, "app:1"), "index.json")
    assert [each["digest"] for each in top["manifests"]] == [str(ONE.manifest.digest)]
    assert top["manifests"][0]["platform"] == {"architecture": "amd64", "os": "linux"}


def test_one_platform_of_an_index_is_saved_alone(images: Images, store: Store) -> None:
    put_index(store, INDEX, "app:1")
    archive = saved(images, "app:1", platforms="linux/arm64")
    assert names(archive) == {ARM.config.id.encoded: ["app:1"]}
    top = document(archive, "index.json")
    assert [each["digest"] for each in top["manifests"]] == [str(ARM.manifest.digest)]


def test_several_platforms_keep_their_index(images: Images, store: Store, other: Images) -> None:
    put_index(store, INDEX, "app:1")
    archive = saved(images, "app:1", platforms="linux/arm64,linux/s390x")
    held = {path.rpartition("/")[2] for path in unpacked(archive)}
    assert ONE.manifest.digest.encoded not in held
    assert {ARM.manifest.digest.encoded, S390.manifest.digest.encoded} <= held
    other.load(BytesIO(archive), platforms="linux/s390x")
    assert other.inspect("app:1").image.id == S390.config.id


def test_a_platform_the_image_is_not_of_is_refused(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    with pytest.raises(PlatformNotFound, match="linux/amd64"):
        saved(images, "app:1", platforms="linux/arm64")
    assert names(saved(images, "app:1", platforms="linux/amd64"))


def test_a_platform_that_was_not_pulled_says_how_to_have_it(images: Images, store: Store) -> None:
    put_index(store, INDEX, "app:1", without=(ARM,))
    with pytest.raises(BlobNotFound) as caught:
        saved(images, "app:1", platforms="linux/arm64")
    assert "whole index" in " ".join(caught.value.__notes__)


def test_a_platform_the_index_lacks_is_refused(images: Images, store: Store) -> None:
    put_index(store, INDEX, "app:1")
    with pytest.raises(PlatformNotFound, match="linux/riscv64"):
        saved(images, "app:1", platforms="linux/riscv64")
