"""The builders, each with the images that cases stand on; the context that cases share."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from pytest_images.host import Host
from tests.building import judges
from tests.building.context import make_context, root
from tests.peers import serving_docker, storing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_images.images import Images
    from tests.building.judges import Builder

OUR_OWN = {"expected", "error", "options", "modes"}  # files of a case that no builder sees
PATH = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture(scope="session")
def builder_images(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[Images]:
    """A store with the images that cases stand on: ``alpine:3.20``, and ``base:1``."""
    home = tmp_path_factory.mktemp("builder") / "home"
    with Host(home=home, durability="fast", load_entry_points=False) as host:
        [alpine] = shared.glob("alpine/alpine-minirootfs-3.20*x86_64.tar.gz")
        host.images.import_(alpine, "alpine:3.20", changes=[PATH, 'CMD ["/bin/sh"]'])
        host.images.import_(io.BytesIO(root()), "base:1", changes=BASE)
        yield host.images


BASE = [
    PATH,
    "ENV FROM_BASE=yes",
    "LABEL base=1 kept=yes",
    "EXPOSE 80",
    "VOLUME /data",
    "USER app",
    "WORKDIR /home",
    'CMD ["base-command"]',
    "STOPSIGNAL SIGINT",
    "HEALTHCHECK --interval=5s CMD true",
    "ONBUILD ENV TRIGGERED=1",
]


@pytest.fixture(scope="session")
def bases(builder_images: Images) -> dict[str, bytes]:
    """The archives of these images."""
    found = {}
    for name in ("alpine:3.20", "base:1"):
        out = io.BytesIO()
        builder_images.save(name, out, form="docker")
        found[name] = out.getvalue()
    return found


@pytest.fixture(scope="session")
def docker_builder(builder_images: Images, bases: dict[str, bytes]) -> Iterator[Builder]:
    """Docker's classic builder, before an engine of its own."""
    with serving_docker() as docker:
        docker.environment["DOCKER_BUILDKIT"] = "0"
        judges.prepare_docker(docker, bases)
        yield judges.ClassicDocker(docker, builder_images)


@pytest.fixture(scope="session")
def buildah_builder(
    builder_images: Images, bases: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Builder]:
    """A buildah with a storage of its own."""
    with storing("buildah") as buildah:
        judges.prepare_buildah(buildah, bases, tmp_path_factory.mktemp("buildah"))
        yield judges.Buildah(buildah, builder_images)


@pytest.fixture(scope="session")
def ours(builder_images: Images) -> Builder:
    """Our own builder."""
    return judges.Ours(builder_images)


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Makes the folder of a case: the shared context, and the case's own files over it."""

    def make(case: Path) -> Path:
        folder = tmp_path / "context"
        folder.mkdir()
        make_context(folder)
        for path in case.rglob("*"):
            if path.is_file() and path.name not in OUR_OWN:
                target = folder / path.relative_to(case)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
                target.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
        for line in _lines(case / "modes"):
            name, _, mode = line.rpartition(" ")
            (folder / name).chmod(int(mode, 8))
        return folder

    return make


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
