from __future__ import annotations

import pytest

from pytest_images.errors import Unreachable
from pytest_images.hookspecs import hookimpl
from pytest_images.host import Host
from pytest_images.model.endpoint import Endpoint
from pytest_images.policies.offline import Offline, is_loopback


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1:1", "127.9.9.9", "[::1]:5000", "[::1]"]
)
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["docker.io", "127.0.0.1.evil.test", "localhost.evil.test", "10.0.0.1:5000", "[fe80::1]"],
)
def test_other_machines_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_offline_takes_away_every_other_endpoint() -> None:
    class Mirrors:
        @hookimpl
        def registry_endpoints(self) -> list[Endpoint]:
            return [Endpoint("mirror.test"), Endpoint("127.0.0.1:5000"), Endpoint("docker.io")]

    with Host(plugins=[Offline(), Mirrors()], load_entry_points=False) as host:
        assert host.images.endpoints("alpine") == (Endpoint("127.0.0.1:5000"),)


def test_offline_imports_from_this_machine_alone() -> None:
    with Host(plugins=[Offline()], load_entry_points=False) as host:
        with pytest.raises(Unreachable, match="not on this machine") as caught:
            host.images.import_("http://host.test/root.tar")
        assert "images_offline is set" in caught.value.__notes__[0]
        with pytest.raises(Unreachable, match="refused"):
            host.images.import_("http://127.0.0.1:1/root.tar")
