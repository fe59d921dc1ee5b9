from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_images.engine.tag import tag
from pytest_images.errors import AmbiguousImage, ImageNotFound, InvalidUsage
from pytest_images.model.reference import Reference
from pytest_images.model.request.tag import TagRequest
from pytest_images.model.selector import Selector
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from tests.engine.conftest import Put

ONE = samples.image("one")


def test_a_tag_is_a_further_name(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    tagged = images.tag("app:1", "registry.test/app:2")
    assert str(tagged.reference) == "registry.test/app:2"
    assert [name.familiar for name in tagged.tags] == ["app:1", "registry.test/app:2"]


def test_an_id_or_its_start_can_be_tagged(images: Images, put: Put) -> None:
    put(ONE)
    for text in (str(ONE.config.id), ONE.config.id.encoded, ONE.config.id.short[:6]):
        assert images.tag(text, "app").id == ONE.config.id


def test_a_tag_moves_and_the_image_it_left_stays(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    two = put(samples.image("two"), "app:2")
    images.tag("app:2", "app:1")
    assert images.inspect("app:1").image.id == two.id
    assert images.inspect(ONE.config.id).image.is_dangling


def test_a_tag_keeps_the_manifest_of_the_name_it_was_given_by(images: Images, put: Put) -> None:
    put(ONE, "app:gzip")
    put(samples.image("one", compression="zstd"), "app:zstd")
    images.tag("app:gzip", "app:copy")
    assert images.inspect("app:copy").manifest == ONE.manifest


def test_when_a_name_was_last_given_is_kept(images: Images, store: Store, put: Put) -> None:
    put(ONE, "app:1")
    assert images.inspect("app:1").tagged == "", "a name that came with a load does not count"
    before = datetime.now(UTC)
    images.tag("app:1", "app:2")
    told = images.inspect("app:1").tagged
    assert before <= datetime.fromisoformat(told) <= datetime.now(UTC)
    images.rm("app:2")
    put(ONE, "app:3")  # loaded once more
    store.fsck(rebuild=True)
    assert images.inspect("app:1").tagged == told


def test_a_tag_with_a_digest_is_refused(images: Images, store: Store, put: Put) -> None:
    put(ONE, "app:1")
    target = Reference.parse(f"app@{ONE.manifest.digest}")
    with pytest.raises(InvalidUsage, match="refusing to create a tag with a digest reference"):
        tag(images, store, TagRequest(Selector.parse("app:1"), target))


def test_a_name_that_would_be_taken_for_an_id_is_refused(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    with pytest.raises(InvalidUsage, match="ambiguous tag using digest algorithm as name"):
        images.tag("app:1", f"sha256:{ONE.config.id.short}")
    assert str(images.tag("app:1", "registry.test/sha256:1").reference) == "registry.test/sha256:1"


def test_what_is_not_here_cannot_be_tagged(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    with pytest.raises(ImageNotFound, match="No such image: other:latest"):
        images.tag("other", "app:2")


def test_an_ambiguous_start_of_an_id_is_refused(images: Images, put: Put) -> None:
    ids = [put(samples.image(str(number), size=1)).id.encoded for number in range(17)]
    start = next(id[0] for id in ids if sum(other[0] == id[0] for other in ids) > 1)
    with pytest.raises(AmbiguousImage):
        images.tag(f"sha256:{start}", "app:2")
