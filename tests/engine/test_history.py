from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import ImageNotFound, PlatformNotFound
from pytest_images.testing import samples
from tests.histories import step, with_history

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from tests.engine.conftest import Put

TWO_LAYERS = samples.image("one", layers=2, size=500)


def test_steps_come_newest_first_with_the_size_of_their_layer(images: Images, put: Put) -> None:
    sample = with_history(
        samples.image("one", layers=2, size=500),
        step("ADD a", created="2020-01-01T00:00:00Z"),
        step("ENV b=c", empty_layer=True, comment="buildkit"),
        step("RUN d"),
    )
    put(sample, "app:1", "app:2")
    newest, middle, oldest = images.history("app:1")
    assert [line.created_by for line in (newest, middle, oldest)] == ["RUN d", "ENV b=c", "ADD a"]
    assert [line.size for line in (newest, middle, oldest)] == [500, 0, 500]
    assert newest.id == sample.config.id
    assert [tag.familiar for tag in newest.tags] == ["app:1", "app:2"]
    assert (middle.id, middle.tags, middle.comment) == (None, (), "buildkit")
    assert (oldest.created, newest.created) == ("2020-01-01T00:00:00Z", "")


def test_a_layer_that_is_not_here_has_no_size(images: Images, put: Put, store: Store) -> None:
    put(TWO_LAYERS, "app:1")
    store.path(TWO_LAYERS.manifest.layers[1].digest).unlink()
    assert [line.size for line in images.history("app:1")] == [None, 500]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_history_need_not_fit_the_layers(images: Images, put: Put, count: int) -> None:
    put(with_history(TWO_LAYERS, *[step(f"RUN {n}") for n in range(count)]), "app:1")
    assert [line.size for line in images.history("app:1")] == [500, 500, 0][:count][::-1]


def test_of_an_index_the_platform_asked_for_is_told(images: Images) -> None:
    platforms = ("linux/amd64", "linux/arm64/v8")
    made = [samples.image(name, platform=name) for name in platforms]
    images.load(BytesIO(samples.index(*made).archive("app:1")), platforms=platforms)
    [line] = images.history("app:1", platform="linux/arm64/v8")
    assert line.id == made[1].config.id
    with pytest.raises(PlatformNotFound, match="s390x"):
        images.history("app:1", platform="linux/s390x")


def test_what_is_not_here_is_named(images: Images) -> None:
    with pytest.raises(ImageNotFound, match="No such image: app:latest"):
        images.history("app")
