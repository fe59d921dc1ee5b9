from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import AmbiguousImage, Conflict, ImageNotFound, PlatformNotFound
from pytest_images.model.reference import Reference
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from tests.engine.conftest import Put

ONE = samples.image("one")
ID = str(ONE.config.id)
PINNED = f"app@{ONE.manifest.digest}"


def lines(images: Images, thing: str, **options: bool) -> list[str]:
    return [str(removal) for removal in images.rm(thing, **options)]  # type: ignore[arg-type] # force alone


def pin(store: Store, *names: str) -> None:
    store.add(ONE.manifest, ONE.config, (), [Reference.parse(name) for name in names])


def test_the_last_name_takes_the_image_with_it(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    assert lines(images, "app:1") == ["Untagged: app:1", f"Deleted: {ID}"]
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
    assert lines(images, "app:1") == ["Untagged: app:1", f"Untagged: {PINNED}", f"Deleted: {ID}"]


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
    expected = ["Untagged: app:1", f"Untagged: {PINNED}", f"Deleted: {ID}"]
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
    expected = [f"Untagged: {names[0]}", f"Untagged: {names[1]}", f"Deleted: {ID}"]
    assert lines(images, short, force=True) == expected


def test_a_dangling_image_goes_by_its_id(images: Images, put: Put) -> None:
    put(ONE)
    assert lines(images, ID) == [f"Deleted: {ID}"]


def test_a_name_without_tag_means_latest(images: Images, put: Put) -> None:
    put(ONE, "app:latest", "app:1")
    assert lines(images, "app") == ["Untagged: app:latest"]


def test_layers_that_another_image_shares_stay(images: Images, put: Put, store: Store) -> None:
    put(ONE, "app:1")
    other = samples.image("one", labels={"other": "config"})
    put(other, "app:2")
    images.rm("app:1")
    store.collect(0)
    assert store.read(other.manifest.layers[0].digest) == other.layers[0]


def test_what_is_not_here_is_named(images: Images) -> None:
    with pytest.raises(ImageNotFound, match="No such image: app:latest"):
        images.rm("app")


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
