"""Images from one embedded store to another, through `Images.copy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import ImageNotFound, StoreDamaged, StoreFull
from pytest_images.host import Host
from pytest_images.testing import samples
from tests.archive.indexes import put_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from tests.engine.conftest import Put

pytestmark = pytest.mark.usefixtures("ledger")  # no thread and no pipe is left

LARGE = samples.image("large", layers=2, size=3 << 20)
ARM = samples.image("arm", platform="linux/arm64")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Images]:
    """A second store."""
    with Host(home=tmp_path / "other", durability="fast", load_entry_points=False) as host:
        yield host.images


def test_a_copy_is_the_same_image_under_the_same_name(
    images: Images, put: Put, other: Images
) -> None:
    put(LARGE, "app:1", "app:2")
    copied = images.copy("app:1", to=other)
    assert copied.id == LARGE.config.id
    assert [name.familiar for name in copied.tags] == ["app:1"]
    assert other.inspect("app:1").manifest.raw == LARGE.manifest.raw


def test_the_name_latest_does_not_mean_all_tags(images: Images, put: Put, other: Images) -> None:
    put(LARGE, "app:1")
    put(samples.image("latest"), "app:latest")
    images.copy("app", to=other)
    assert [str(name.tag) for image in other.ls() for name in image.tags] == ["latest"]


def test_an_image_keeps_the_name_it_was_asked_for_by(
    images: Images, put: Put, other: Images
) -> None:
    put(LARGE, "app:1", "app:2")
    copied = images.copy(images.inspect("app:2").image, to=other)
    assert [name.familiar for name in copied.tags] == ["app:2"]


def test_a_name_that_moved_on_does_not_go_along(images: Images, put: Put, other: Images) -> None:
    put(LARGE, "app:1")
    image = images.inspect("app:1").image
    put(samples.image("newer"), "app:1")
    copied = images.copy(image, to=other)
    assert (copied.id, copied.tags) == (LARGE.config.id, ())


def test_an_id_is_copied_without_a_name(images: Images, put: Put, other: Images) -> None:
    put(LARGE, "app:1")
    assert images.copy(LARGE.config.id, to=other).is_dangling


def test_a_whole_index_is_copied_whole(images: Images, store: Store, other: Images) -> None:
    put_index(store, samples.index(LARGE, ARM), "app:1")
    images.copy("app:1", to=other)
    assert other.inspect("app:1").image.id == LARGE.config.id


def test_what_is_not_here_is_refused(images: Images, other: Images) -> None:
    with pytest.raises(ImageNotFound, match="missing:1"):
        images.copy("missing:1", to=other)


def test_what_save_refuses_is_what_is_raised(
    images: Images, put: Put, store: Store, other: Images
) -> None:
    put(LARGE, "app:1")
    path = store.path(LARGE.manifest.layers[0].digest)
    path.chmod(0o600)
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(StoreDamaged):
        images.copy("app:1", to=other)
    assert other.ls() == ()


def test_what_load_refuses_is_what_is_raised(
    images: Images, put: Put, other: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(LARGE, "app:1")

    def full(*_: object, **__: object) -> None:
        raise StoreFull("disk", "no space left")

    monkeypatch.setattr("pytest_images.content.ingest.Ingest.write", full)
    with pytest.raises(StoreFull):
        images.copy("app:1", to=other)
    assert other.ls() == ()
