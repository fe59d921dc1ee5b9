"""One Docker engine for all cases of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.differential.sides import RealDocker
from tests.peers import serving_docker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.peers import Docker


@pytest.fixture(scope="session")
def engine() -> Iterator[RealDocker]:
    """The engine; its version and the client's are printed."""
    with serving_docker() as docker:
        versions = "Client {{.Client.Version}}, Server {{.Server.Version}}"
        print(docker("version", "--format", versions).decode())
        yield RealDocker(docker, client=_major(docker))


def _major(docker: Docker) -> int:
    version = docker("version", "--format", "{{.Client.Version}}").decode()
    return int(version.partition(".")[0])


@pytest.fixture
def docker(engine: RealDocker) -> RealDocker:
    """The engine, without images."""
    engine.empty()
    return engine
