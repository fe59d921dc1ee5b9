"""For every suite of this repository: pytester, and no network beyond loopback."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["pytester"]

# In the last place: older versions of pytest find `tests`, and the package is the installed one.
sys.path.append(str(Path(__file__).parent))

LOOPBACK = ("127.", "::1", "localhost")


def pytest_configure() -> None:
    """Hear Ctrl-C, as what tests start has to: in the background of a shell it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch for the long runs."""
    parser.addoption(
        "--survival", action="store_true", help="run every point of the survival gate (long)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long runs out unless asked for."""
    if config.getoption("--survival"):
        return
    chosen = [item for item in items if item.get_closest_marker("survival") is None]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """Fail a test that connects to anything but this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family != socket.AF_UNIX and not str(host).startswith(LOOPBACK):
            raise AssertionError(f"a test connects to {host}: only loopback is allowed")
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's store, Docker credentials and proxies out of the tests."""
    patch = pytest.MonkeyPatch()
    for name in [n for n in os.environ if n.lower().endswith("_proxy") or n == "DOCKER_CONFIG"]:
        patch.delenv(name)
    for name in [n for n in os.environ if n.startswith("PYTEST_IMAGES_")]:
        if name not in ("PYTEST_IMAGES_PEERS", "PYTEST_IMAGES_SEED", "PYTEST_IMAGES_SHARED"):
            patch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    patch.setenv("PYTEST_IMAGES_HOME", str(home / "images"))
    patch.setenv("DOCKER_CONFIG", str(home / "docker"))
    yield
    patch.undo()
