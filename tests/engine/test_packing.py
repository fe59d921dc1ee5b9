"""Built images are compressed at their first push, and stay what they were pushed as."""

from __future__ import annotations

import gzip
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.model import media_types
from pytest_images.model.digest import Digest
from pytest_images.server.registry import Registry
from pytest_images.testing import samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.manifest import Manifest
    from pytest_images.model.reference import Reference

TEXT = "FROM scratch\nCOPY a /\nENV B=C\n"
CONTEXT = {"a": b"a" * 100_000}


@pytest.fixture
def name(images: Images) -> Iterator[Reference]:
    with Registry.serving() as registry, images.answering(registry):
        yield registry.namespace("team").reference("app:1")


def manifest(images: Images, name: object) -> Manifest:
    return images.inspect(name).manifest  # type: ignore[arg-type]


def test_a_push_compresses_what_was_built_here(
    images: Images, store: Store, name: Reference
) -> None:
    images.build(CONTEXT, dockerfile_text=TEXT, tags=name)
    [plain] = manifest(images, name).layers
    before = images.inspect(name).image.id
    [pushed] = images.push(name)
    [layer] = manifest(images, name).layers
    assert (plain.media_type, layer.media_type) == (
        media_types.OCI_LAYER,
        media_types.OCI_LAYER_GZIP,
    )
    assert Digest.of(gzip.decompress(store.read(layer.digest))) == plain.digest
    assert layer.size < plain.size / 10
    assert pushed.descriptor.digest == manifest(images, name).digest
    found = images.inspect(name).image
    assert found.id == before
    assert [pin.digest for pin in found.digests] == [pushed.descriptor.digest]


def test_the_digest_stays_what_it_was_pushed_as(images: Images, name: Reference) -> None:
    images.build(CONTEXT, dockerfile_text=TEXT, tags=[name, "other:1"])
    [first] = images.push(name)
    images.build(CONTEXT, dockerfile_text=TEXT, tags=name)
    assert images.push(name)[0].descriptor == first.descriptor
    images.rm(name)
    assert images.pull(name).digest == first.descriptor.digest
    assert manifest(images, "other:1").digest == first.descriptor.digest


def test_an_image_built_on_it_takes_the_same_layer_along(images: Images, name: Reference) -> None:
    images.build(CONTEXT, dockerfile_text=TEXT, tags=name)
    images.push(name)
    first = images.build(CONTEXT, dockerfile_text=f"FROM {name}\nCOPY a /b\n", tags="above:1")
    assert manifest(images, "above:1").layers[0] == manifest(images, name).layers[0]
    assert (images.files("above:1") / "b").is_file()
    second = images.build(CONTEXT, dockerfile_text=f"FROM {name}\nCOPY a /b\n")
    assert "CACHED" in second.log
    assert first.image is not None
    assert second.image is not None
    assert first.image.id == second.image.id


def test_what_is_pulled_runs_on_as_it_was_built(images: Images, name: Reference) -> None:
    images.build(CONTEXT, dockerfile_text=TEXT, tags=name)
    images.push(name)
    images.rm(name)
    images.prune(all=True)
    images.pull(name)
    assert (images.files(name) / "a").read_bytes() == CONTEXT["a"]


def test_a_plain_layer_from_elsewhere_goes_as_it_came(images: Images, name: Reference) -> None:
    sample = samples.image("plain", compression="none")
    images.load(BytesIO(sample.archive(str(name))))
    [pushed] = images.push(name)
    assert pushed.descriptor == sample.manifest.descriptor


def test_two_builds_of_one_thing_are_pushed_as_one(images: Images, name: Reference) -> None:
    digests = set()
    for _ in range(2):
        images.build(CONTEXT, dockerfile_text=TEXT, tags=name, no_cache=True)
        digests.add(images.push(name)[0].descriptor.digest)
        images.rm(name, force=True)
        images.prune(all=True)
    assert len(digests) == 1
