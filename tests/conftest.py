"""What all tests share: peers by name, a real registry, the ledger of what is left behind."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

import pytest_images
from tests.ledger import Ledger
from tests.peers import DockerRegistry, peer, serving_docker_registry, shared_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# That other tests keep the machine busy is no error of a property.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def _everything_is_imported() -> None:
    """Import the package whole: what an inner run imports first, pytester forgets after it.

    Half of it would then be imported again, and an error no longer be of its own class.
    """
    for module in pkgutil.walk_packages(pytest_images.__path__, "pytest_images."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


@pytest.fixture
def pytester(_everything_is_imported: None, pytester: pytest.Pytester) -> pytest.Pytester:
    """Pytest's own, where nothing can be imported by halves."""
    return pytester


@pytest.fixture(autouse=True)
def _peers_are_here(request: pytest.FixtureRequest) -> None:
    """Skip a test marked ``peer(...)`` where one is missing, or fail where it is required."""
    for mark in request.node.iter_markers("peer"):
        for name in mark.args:
            peer(name)


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """A real, empty registry for this process's tests."""
    with serving_docker_registry(tmp_path_factory.mktemp("docker-registry")) as registry:
        yield registry


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """An account of the test: descriptors, threads, children, temporary files, a canary."""
    temp = tmp_path / "ledger-temp"
    temp.mkdir()
    canary = tmp_path / "canary"
    canary.write_bytes(b"outside of everything")
    monkeypatch.setenv("TMPDIR", str(temp))
    monkeypatch.setattr("tempfile.tempdir", str(temp))
    account = Ledger(canary, temp)
    account.open()
    yield account
    account.close()


@pytest.fixture(params=["plain", "requests"])
def wire(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ask in plain HTTP by either client: what drives TLS is held to the same."""
    if request.param == "requests":
        from pytest_images.http import session
        from pytest_images.http.wire import RequestsWire

        monkeypatch.setattr(session, "PlainWire", lambda limits: RequestsWire(limits, True))
    return str(request.param)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real images; skips (or fails, where required) without it."""
    peer("shared")
    folder = shared_images()
    assert folder is not None
    return folder
