from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import DigestMismatch, ImageNotFound, InvalidUsage
from pytest_images.hookspecs import hookimpl
from pytest_images.host import Host
from pytest_images.model.endpoint import Access, Credentials, Endpoint
from pytest_images.model.secret import Secret
from pytest_images.policies.mirrors import Mirror
from pytest_images.testing import samples
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from tests.policies.conftest import Hosting

READING = frozenset({Access.RESOLVE, Access.PULL})
BASIC = Fault(401, {"WWW-Authenticate": 'Basic realm="here"'})
ONE, TWO = samples.image("one"), samples.image("two")


@pytest.mark.parametrize(
    ("text", "mirror"),
    [
        (
            "docker.io = mirror.example/hub",
            Mirror("docker.io", Endpoint("mirror.example", "", READING, "hub")),
        ),
        ("ghcr.io=http://m:5000", Mirror("ghcr.io", Endpoint("m:5000", "http", READING))),
        (
            "quay.io = https://[::1]:5000/a/b/ only",
            Mirror("quay.io", Endpoint("[::1]:5000", "https", READING, "a/b"), only=True),
        ),
        (
            "index.docker.io = m.example digest-only",
            Mirror("docker.io", Endpoint("m.example", "", frozenset({Access.PULL}))),
        ),
        (
            "localhost:5000 = docker.io/team",
            Mirror("localhost:5000", Endpoint("registry-1.docker.io", "", READING, "team")),
        ),
    ],
)
def test_a_line_names_a_registry_and_a_place(text: str, mirror: Mirror) -> None:
    assert Mirror.parse(text) == mirror


@pytest.mark.parametrize(
    "text",
    [
        *("", "docker.io", "docker.io =", "= mirror.example", "docker.io = m.example sometimes"),
        *("alpine = m.example", "docker.io/library = m.example", "docker.io = ftp://m.example"),
        *("docker.io = m.example/UP", "docker.io = m.example/../x", "docker.io = bad host"),
    ],
)
def test_a_line_that_is_none_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(InvalidUsage, match=r"REGISTRY|not a registry"):
        Mirror.parse(text)


def test_a_password_in_a_line_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidUsage, match="docker login") as caught:
        Mirror.parse("docker.io = https://ada:hunter2@m.example")
    assert "hunter2" not in str(caught.value)


def test_mirrors_come_first_in_order_and_the_registry_last() -> None:
    lines = ["docker.io = a.example/hub", "ghcr.io = x.example", "docker.io = b.example"]
    with Host(mirrors=lines, load_entry_points=False) as host:
        hosts = [each.host for each in host.images.endpoints("alpine", Access.PULL)]
        assert hosts == ["a.example", "b.example", "registry-1.docker.io"]
        assert [each.host for each in host.images.endpoints("quay.io/x/y")] == ["quay.io"]


def test_only_leaves_the_registry_out_but_never_for_a_push() -> None:
    with Host(mirrors=["docker.io = a.example only"], load_entry_points=False) as host:
        assert [each.host for each in host.images.endpoints("alpine")] == ["a.example"]
        pushed = host.images.endpoints("alpine", Access.PUSH)
        assert [each.host for each in pushed] == ["registry-1.docker.io"]


def test_offline_takes_mirrors_away_too() -> None:
    lines = ["docker.io = a.example", "docker.io = 127.0.0.1:5000"]
    with Host(mirrors=lines, offline=True, load_entry_points=False) as host:
        assert [each.host for each in host.images.endpoints("alpine")] == ["127.0.0.1:5000"]


def test_pull_keeps_the_name_asked_for_when_a_mirror_serves(
    hosting: Hosting, other: FaultRegistry
) -> None:
    other.serve(ONE, "hub/library/alpine", "3")
    images = hosting(mirrors=[f"docker.io = http://{other}/hub"]).images
    pulled = images.get("alpine:3")
    assert str(pulled.reference) == "docker.io/library/alpine:3"
    assert [digest.familiar_name for digest in pulled.digests] == ["alpine"]
    assert {each.path.partition("/alpine/")[0] for each in other.seen} == {"/v2/hub/library"}


def test_a_mirror_that_is_down_or_lacks_the_image_is_passed_over(
    hosting: Hosting, registry: FaultRegistry, other: FaultRegistry
) -> None:
    lines = [f"{registry} = http://127.0.0.1:1", f"{registry} = http://{other}"]
    assert hosting(mirrors=lines).images.pull(f"{registry}/app:1").id == ONE.config.id
    assert other.asked("GET", "/v2/app/manifests/1")


def test_a_mirror_that_lies_is_found_out_and_passed_over(
    hosting: Hosting, registry: FaultRegistry, other: FaultRegistry
) -> None:
    pinned = f"{registry}/app@{ONE.manifest.digest}"
    other.serve(ONE).on("GET", "/manifests/", Fault(body=TWO.manifest.raw))
    with pytest.raises(DigestMismatch):
        hosting(mirrors=[f"{registry} = http://{other} only"]).images.pull(pinned)
    images = hosting(mirrors=[f"{registry} = http://{other}"]).images
    assert images.pull(pinned).id == ONE.config.id


def test_a_digest_only_mirror_is_not_asked_what_a_tag_stands_for(
    hosting: Hosting, registry: FaultRegistry, other: FaultRegistry
) -> None:
    other.serve(ONE)
    hosting(mirrors=[f"{registry} = http://{other} digest-only"]).images.pull(f"{registry}/app:1")
    assert registry.asked("GET", "/manifests/1")
    assert not registry.asked("GET", "/blobs/")
    assert not other.asked("GET", "/manifests/1")
    assert other.asked("GET", "/blobs/")


def test_what_is_nowhere_names_the_image_asked_for(hosting: Hosting) -> None:
    with pytest.raises(ImageNotFound, match=r"registry\.test/none:1"):
        hosting().images.pull("registry.test/none:1")


def test_local_images_are_never_asked_of_a_mirror(
    hosting: Hosting, registry: FaultRegistry
) -> None:
    images = hosting(mirrors=[f"docker.io = http://{registry} only"]).images
    images.load(BytesIO(ONE.archive("app:1")))
    assert images.get("app:1").id == ONE.config.id
    built = images.build({"Dockerfile": b"FROM app:1 AS base\nFROM base\nLABEL a=b"}).image
    assert built is not None
    assert registry.seen == []


def test_a_base_image_comes_from_the_mirror(hosting: Hosting, registry: FaultRegistry) -> None:
    built = hosting().images.build({"Dockerfile": b"FROM registry.test/app:1\nLABEL a=b"})
    assert built.image is not None
    assert registry.asked("GET", "/v2/app/manifests/1")


@pytest.mark.parametrize("origin_is_up", [True, False])
def test_each_place_is_shown_the_credentials_of_its_own(
    hosting: Hosting, registry: FaultRegistry, other: FaultRegistry, origin_is_up: bool
) -> None:
    """Row A19: accounts are asked for by the place that is dialled, not by the name."""
    for place in (registry, other):
        place.on("*", "", lambda seen: Fault() if "authorization" in seen.headers else BASIC)

    class Accounts:
        @hookimpl
        def registry_credentials(self, registry: str) -> Credentials:
            return Credentials("ada", Secret(f"password of {registry}"))

    if origin_is_up:  # the mirror has nothing, so both are asked
        mirrors = [f"{registry} = http://{other}"]
    else:
        other.serve(ONE)
        mirrors = [f"registry.test = http://{other} only"]
    name = f"{registry}/app:1" if origin_is_up else "registry.test/app:1"
    images = hosting(mirrors=mirrors, plugins=[Accounts()]).images
    assert images.pull(name).id == ONE.config.id
    for place, is_asked in ((registry, origin_is_up), (other, True)):
        shown = {s.headers["authorization"] for s in place.seen if "authorization" in s.headers}
        own = b64encode(f"ada:password of {place}".encode()).decode()
        assert shown == ({f"Basic {own}"} if is_asked else set())
