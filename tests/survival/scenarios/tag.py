"""Names are given, moved and taken away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole

ONE, TWO = samples.image("one"), samples.image("two")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        ONE.put(store, "one:1", "moving:1", "going:1")
        TWO.put(store, "two:1")


def steps(root: Path) -> Iterator[str]:
    with Store.open(root) as store:
        store.name(Reference.parse("given:1"), ONE.config.id)
        yield "given"
        store.name(Reference.parse("moving:1"), TWO.config.id)
        yield "moved"
        store.unname(Reference.parse("going:1"))
        yield "gone"


def holds(store: Store, done: list[str]) -> None:
    whole(store, ONE, "one:1")
    whole(store, TWO, "two:1")
    names = names_of(store)
    one, two = ONE.config.id, TWO.config.id
    after = {"given": ("given:1", one, None), "moved": ("moving:1", two, one)}
    for word, (name, new, old) in (after | {"gone": ("going:1", None, one)}).items():
        assert names.get(name) in ({new} if word in done else {new, old}), (word, names)


def names_of(store: Store) -> dict[str, Digest]:
    """Return what each tag stands for."""
    return {tag.familiar: image.id for image in store.images() for tag in image.tags}
