"""What is learned besides: what layers hold, what a registry said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.facts import LayerFacts
from pytest_images.content.store import Store
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole

ONE = samples.image("one", layers=2)
NAME = Reference.parse("one:1")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        ONE.put(store, "one:1")


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        for number, layer in enumerate(ONE.manifest.layers):
            facts = LayerFacts(Digest.of(ONE.tars[number]), len(ONE.tars[number]), 1000)
            store.add_layer(layer.digest, facts)
        yield "measured"
        store.remember(NAME, ONE.manifest.digest)
        yield "remembered"


def holds(store: Store, done: list[str]) -> None:
    whole(store, ONE, "one:1")
    if "measured" in done:
        assert store.image(Selector.of(NAME)).size == 2000
    if "remembered" in done:
        remembered = store.remembered(NAME)
        # Lost in a power cut: the registry is asked again then. What is there is right.
        assert remembered is None or remembered[0] == ONE.manifest.digest
