from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store


def test_the_other_platforms_of_a_whole_index_stay_as_long_as_its_image(store: Store) -> None:
    ours, other = samples.image("a"), samples.image("b", platform="linux/arm64")
    index = samples.index(ours, other)
    for digest, raw in index.blobs.items():
        store.put(raw, digest)
    store.add(ours.manifest, ours.config, index=index.index.digest)
    store.forget(samples.image("x").put(store).id)  # something that may go

    store.collect(0)
    assert all(map(store.has, index.blobs))

    store.forget(ours.config.id, delete=True)
    store.collect(0)
    assert not any(map(store.has, ours.blobs))


def test_an_index_of_which_one_platform_is_here_hides_nothing(store: Store) -> None:
    ours, other = samples.image("a"), samples.image("b", platform="linux/arm64")
    index = samples.index(ours, other)
    store.put(index.index.raw)
    ours.put(store)
    store.add(ours.manifest, ours.config, index=index.index.digest)
    store.collect(0)
    assert store.has(index.index.digest)
    assert all(map(store.has, ours.blobs))
