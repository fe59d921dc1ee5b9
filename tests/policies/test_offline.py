from __future__ import annotations

import ast
import datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pytest_images
from pytest_images.errors import (
    ImageNotFound,
    ImagesError,
    MissingOffline,
    Unreachable,
    UnsafeAddress,
)
from pytest_images.hookspecs import hookimpl
from pytest_images.host import Host
from pytest_images.model.endpoint import Endpoint
from pytest_images.model.reference import Reference
from pytest_images.policies.lock import Lock
from pytest_images.policies.lock_file import LockFile, Pin
from pytest_images.policies.offline import is_loopback
from pytest_images.testing import samples
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from tests.policies.conftest import Hosting


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

    with Host(offline=True, plugins=[Mirrors()], load_entry_points=False) as host:
        assert host.images.endpoints("alpine") == (Endpoint("127.0.0.1:5000"),)


def test_offline_imports_from_this_machine_alone() -> None:
    with Host(offline=True, load_entry_points=False) as host:
        with pytest.raises(Unreachable, match="not on this machine") as caught:
            host.images.import_("http://host.test/root.tar")
        assert "images_offline is set" in caught.value.__notes__[0]
        with pytest.raises(Unreachable, match="refused"):
            host.images.import_("http://127.0.0.1:1/root.tar")


NAME = "registry.test/app:1"
ONE = samples.image("one")


def test_what_was_pulled_is_there_offline_though_its_name_went(
    hosting: Hosting, registry: FaultRegistry
) -> None:
    hosting(run="first").images.pull(NAME)
    registry.seen.clear()
    images = hosting(run="second", offline=True, mirrors=[]).images
    with pytest.raises(ImageNotFound):
        images.inspect(NAME)
    assert images.get(NAME).id == images.pull(NAME).id == ONE.config.id
    assert registry.seen == []


@pytest.mark.parametrize("pulled", [NAME, f"{NAME}@{ONE.manifest.digest}"])
def test_a_locked_image_is_there_offline(
    hosting: Hosting, registry: FaultRegistry, tmp_path: Path, pulled: str
) -> None:
    file = LockFile(tmp_path / "images.lock")
    file.record(Pin(Reference.parse(NAME), ONE.manifest.digest, datetime.date(2024, 5, 1)))
    hosting(run="first", lock=Lock(file, "use")).images.pull(pulled)
    registry.seen.clear()
    images = hosting(run="second", lock=Lock(file, "use"), offline=True, mirrors=[]).images
    assert images.get(NAME).id == ONE.config.id
    assert registry.seen == []


def test_a_locked_image_that_is_cached_costs_no_request_online(
    hosting: Hosting, registry: FaultRegistry, tmp_path: Path
) -> None:
    file = LockFile(tmp_path / "images.lock")
    file.record(Pin(Reference.parse(NAME), ONE.manifest.digest, datetime.date(2024, 5, 1)))
    hosting(run="first", lock=Lock(file, "use")).images.pull(NAME)
    registry.seen.clear()
    assert hosting(run="second", lock=Lock(file, "use")).images.get(NAME).id == ONE.config.id
    assert registry.seen == []


def test_what_is_missing_is_one_error_with_the_command_that_fetches_it(hosting: Hosting) -> None:
    images = hosting(offline=True, mirrors=[]).images
    with pytest.raises(MissingOffline, match=r"^registry\.test/app:1: not here, and") as caught:
        images.get(NAME, platform="linux/s390x")
    [note] = caught.value.__notes__
    home = images._host.home
    command = f"pytest-images --home {home} pull --platform linux/s390x {NAME}"
    assert note == f"fetch it where there is a network: {command}"


def test_what_is_missing_and_locked_is_fetched_by_its_digest(
    hosting: Hosting, tmp_path: Path
) -> None:
    file = LockFile(tmp_path / "images.lock")
    file.record(Pin(Reference.parse(NAME), ONE.manifest.digest, datetime.date(2024, 5, 1)))
    with pytest.raises(MissingOffline) as caught:
        hosting(lock=Lock(file, "use"), offline=True, mirrors=[]).images.get(NAME)
    assert caught.value.__notes__[0].endswith(f" pull {NAME}@{ONE.manifest.digest}")


def test_an_image_that_is_here_in_part_is_missing(hosting: Hosting) -> None:
    host = hosting(run="first")
    host.images.pull(NAME)
    layer = ONE.manifest.layers[0].digest
    host.embedded.store.path(layer).unlink()
    with pytest.raises(MissingOffline):
        hosting(run="second", offline=True, mirrors=[]).images.get(NAME)


def test_a_registry_of_this_machine_is_asked_and_says_what_it_has(
    hosting: Hosting, registry: FaultRegistry
) -> None:
    images = hosting(offline=True).images
    assert images.pull(f"{registry}/app:1").id == ONE.config.id
    with pytest.raises(ImageNotFound, match="none"):
        images.pull(f"{registry}/none:1")
    assert images.get(NAME).id == ONE.config.id  # by its mirror


def test_every_session_of_the_package_is_told_whether_it_is_offline() -> None:
    """The session is the one place that dials, so none may be made without the question."""
    package = Path(pytest_images.__file__).parent
    made = [
        (path, call)
        for path in package.rglob("*.py")
        if path.parent.name != "plugin"
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "Session"
    ]
    assert len(made) >= 2
    for path, call in made:
        assert "offline" in [keyword.arg for keyword in call.keywords], path


@pytest.mark.parametrize("way", ["redirect", "realm", "location", "blob", "proxy"])
def test_a_registry_of_this_machine_leads_nowhere_else(
    hosting: Hosting, registry: FaultRegistry, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard of this test suite fails a test that connects to anything else."""
    away = "https://elsewhere.test/x"
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    challenge = {"WWW-Authenticate": f'Bearer realm="{away}",service="s"'}
    if way == "redirect":
        registry.on("GET", "/manifests/", Fault(307, {"Location": away}))
    elif way == "realm":
        registry.on("*", "/v2/", Fault(401, challenge))
    elif way == "blob":
        registry.on("GET", "/blobs/", Fault(307, {"Location": away}))
    elif way == "location":
        registry.on("POST", "/blobs/uploads", Fault(202, {"Location": away}))
    images = hosting(offline=True, mirrors=[]).images
    name = f"{registry}/app:1"
    if way == "proxy":
        assert images.pull(name).id == ONE.config.id
        return
    if way == "location":
        images.load(BytesIO(samples.image("new").archive(name)))
    with pytest.raises(ImagesError, match="offline: only this machine is asked"):
        images.push(name) if way == "location" else images.pull(name)


def test_an_import_from_this_machine_leads_nowhere_else(
    hosting: Hosting, registry: FaultRegistry
) -> None:
    registry.on("GET", "/root.tar", Fault(302, {"Location": "https://elsewhere.test/root.tar"}))
    with pytest.raises(UnsafeAddress, match="offline: only this machine is asked"):
        hosting(offline=True).images.import_(f"http://{registry}/root.tar")


@pytest.mark.parametrize(
    "source", ["https://elsewhere.test/x", "https://elsewhere.test/app.git", "{registry}/moved"]
)
def test_a_build_fetches_from_nowhere_else(
    hosting: Hosting, registry: FaultRegistry, source: str
) -> None:
    registry.on("GET", "/moved", Fault(302, {"Location": "https://elsewhere.test/x"}))
    source = source.format(registry=f"http://{registry}")
    dockerfile = f"FROM scratch\nADD {source} /x\n".encode()
    images = hosting(offline=True).images
    with pytest.raises((MissingOffline, UnsafeAddress), match="offline"):
        images.build({"Dockerfile": dockerfile})
    if not source.endswith("moved"):
        with pytest.raises((MissingOffline, UnsafeAddress), match="offline"):
            images.build(source)
