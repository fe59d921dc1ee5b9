"""An image comes in, blob by blob, and gets its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.model.selector import Selector
from pytest_images.testing import samples

SAMPLE = samples.image("put", layers=2)


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        samples.image("before").put(store, "before:1")


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        SAMPLE.put(store, "app:1")
        yield "put"


def holds(store: Store, done: list[str]) -> None:
    holds_sample(store, SAMPLE, done)


def holds_sample(store: Store, sample: samples.Sample, done: list[str]) -> None:
    """Assert what is true while *sample* comes in, and after it was "put"."""
    whole(store, samples.image("before"), "before:1")
    if "put" in done:
        whole(store, sample, "app:1")
    for digest, content in sample.blobs.items():  # there or not, but never anything else
        assert not store.has(digest) or store.read(digest) == content


def whole(store: Store, sample: samples.Sample, name: str) -> None:
    """Assert that an image is here under a name with all its bytes."""
    image = store.image(Selector.parse(name))
    assert image.id == sample.config.id
    assert store.manifest_of(image.id).raw == sample.manifest.raw
    for digest, content in sample.blobs.items():
        assert store.read(digest) == content
