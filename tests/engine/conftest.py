"""The embedded engine behind the real door, over a store of its own."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.host import Host
from tests.peers import miss, shared_images
from tests.sandbox.conftest import require_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.image import Image, Loaded
    from pytest_images.testing.samples import Sample

    Put = Callable[..., Image]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with Host(home=tmp_path / "home", durability="fast", load_entry_points=False) as host:
        yield host


@pytest.fixture
def images(host: Host) -> Images:
    return host.images


@pytest.fixture
def store(tmp_path: Path, images: Images) -> Iterator[Store]:
    """The engine's store, opened a second time."""
    from pytest_images.content.store import Store

    with Store.open(tmp_path / "home") as store:
        yield store


@pytest.fixture
def put(store: Store) -> Put:
    """Record a sample under names, without a verb."""

    def put(sample: Sample, *names: str) -> Image:
        return sample.put(store, *names)

    return put


@pytest.fixture
def alpine(images: Images, tmp_path: Path) -> str:
    """An image to run commands in, where commands can be run."""
    require_sandbox(tmp_path)
    shared = shared_images()
    if shared is None:
        miss("shared", "the real images are not at hand")
    [archive] = shared.glob("alpine/alpine-minirootfs-3.20*x86_64.tar.gz")
    images.import_(archive, "alpine:3.20")
    return "alpine:3.20"


def loaded(images: Images, archive: bytes) -> tuple[Loaded, ...]:
    return images.load(BytesIO(archive), name="archive")
