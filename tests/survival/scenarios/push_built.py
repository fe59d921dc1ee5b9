"""An image that was built here is pushed: its layers are compressed, and its manifest exchanged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.host import Host
from pytest_images.model.digest import Digest
from pytest_images.model.selector import Selector
from pytest_images.server.registry import Registry
from pytest_images.testing import samples
from tests.survival.scenarios.build import ID, TEXT, build, context

BASE = samples.image("base")


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        BASE.put(store, "base:1")
    context(root)
    build(root, TEXT, "app:1")


def steps(root: Path) -> Iterator[str]:
    with Registry.serving(root.with_name("registry")) as registry:
        for number in "12":  # what was pushed once does not change
            with Host(home=root, load_entry_points=False) as host:
                name = f"{registry}/app:{number}"
                host.images.tag("app:1", name)
                [pushed] = host.images.push(name)
                host.images.rm(name)
            yield f"pushed {pushed.descriptor.digest}"


def holds(store: Store, done: list[str]) -> None:
    image = store.image(Selector.parse("app:1"))
    assert str(image.id) == ID
    manifest = store.manifest_of(image.id)
    for digest in (manifest.config.digest, *(layer.digest for layer in manifest.layers)):
        assert Digest.of(store.read(digest, 1 << 30)) == digest
    assert len(set(done)) <= 1
    if done:
        assert done[0] == f"pushed {manifest.digest}"
