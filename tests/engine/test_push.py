"""Pushing to a real registry, and what other tools see there."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import (
    BlobNotFound,
    Conflict,
    ImageNotFound,
    InvalidUsage,
    PlatformNotFound,
)
from pytest_images.http.limits import DEFAULT, Limits
from pytest_images.testing.samples import image, index
from tests.engine.test_pull import log
from tests.faults.rig import Rig
from tests.peers import DockerRegistry, peer

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from tests.engine.conftest import Put

pytestmark = pytest.mark.peer("registry")


@pytest.fixture
def name(docker_registry: DockerRegistry, request: pytest.FixtureRequest) -> str:
    """A repository of this test's own in the real registry."""
    own = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"{docker_registry}/push/{own}"


def skopeo(*arguments: str) -> str:
    command = [peer("skopeo"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_what_was_pushed_is_what_others_see(images: Images, put: Put, name: str) -> None:
    sample = image("seen", layers=3)
    put(sample, f"{name}:1")
    (pushed,) = images.push(f"{name}:1")
    raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{name}:1")
    assert raw.encode() == sample.manifest.raw
    assert pushed.descriptor == sample.manifest.descriptor
    assert str(pushed.reference) == f"{name}:1"


def test_others_can_copy_what_was_pushed(
    images: Images, put: Put, name: str, tmp_path: Path
) -> None:
    sample = image("copied", layers=2)
    put(sample, f"{name}:1")
    images.push(f"{name}:1")
    skopeo("copy", "-q", "--src-tls-verify=false", f"docker://{name}:1", f"oci:{tmp_path / 'x'}:1")
    for digest, content in sample.blobs.items():
        path = tmp_path / "x" / "blobs" / digest.algorithm / digest.encoded
        assert path.read_bytes() == content


def test_a_push_of_what_is_there_sends_no_blob(
    images: Images, put: Put, name: str, docker_registry: DockerRegistry
) -> None:
    put(image("there", layers=2), f"{name}:1")
    images.push(f"{name}:1")
    before = len(log(docker_registry, name))
    images.push(f"{name}:1")
    methods = [line.split()[0] for line in log(docker_registry, name)[before:]]
    assert sorted(methods) == ["HEAD"] * 3 + ["PUT"]


def test_blobs_of_another_repository_are_mounted(
    images: Images, put: Put, name: str, docker_registry: DockerRegistry
) -> None:
    put(image("mounted", layers=2), f"{name}-base:1")
    images.push(f"{name}-base:1")
    images.tag(f"{name}-base:1", f"{name}-app:1")
    images.push(f"{name}-app:1")
    asked = log(docker_registry, f"{name}-app")
    assert not [line for line in asked if line.startswith("PUT") and "/blobs/" in line]
    assert len([line for line in asked if "mount=" in line]) == 3


def test_the_repository_digest_is_known_after_a_push(images: Images, put: Put, name: str) -> None:
    sample = image("known")
    put(sample, f"{name}:1")
    images.push(f"{name}:1")
    (listed,) = images.ls()
    assert [str(pin) for pin in listed.digests] == [f"{name}@{sample.manifest.digest}"]


def test_an_upload_in_chunks_gives_the_same_blobs(store: Store, put: Put, name: str) -> None:
    sample = image("chunks", layers=2, size=5000)
    put(sample, f"{name}:1")
    chunked = Rig(store, limits=replace(DEFAULT, monolithic=0, upload_chunk=1024))
    chunked.push(f"{name}:1")
    raw = skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{name}:1")
    assert raw.encode() == sample.manifest.raw
    chunked.host.close()
    chunked.client.close()


def test_all_tags_go_at_once(images: Images, put: Put, name: str) -> None:
    for tag in ("b", "a"):
        put(image(tag), f"{name}:{tag}")
    put(image("other"), f"{name}-other:1")
    pushed = images.push(name, all_tags=True)
    assert [str(each.reference) for each in pushed] == [f"{name}:a", f"{name}:b"]
    listed = json.loads(skopeo("list-tags", "--tls-verify=false", f"docker://{name}"))
    assert sorted(listed["Tags"]) == ["a", "b"]


def test_one_platform_of_an_index_is_pushed_alone(
    images: Images, put: Put, name: str, tmp_path: Path
) -> None:
    both = index(image("arm", platform="linux/arm64"), image("amd", platform="linux/amd64"))
    layout = both.layout(tmp_path / "layout", f"{name}:1")
    skopeo(
        "copy", "-q", "--all", "--dest-tls-verify=false", f"oci:{layout}:1", f"docker://{name}:1"
    )
    images.pull(f"{name}:1", whole_index=True)
    images.tag(f"{name}:1", f"{name}:arm")
    (pushed,) = images.push(f"{name}:arm", platform="linux/arm64")
    assert pushed.descriptor.digest == both.images[0].manifest.digest


def test_a_name_that_is_not_here_cannot_be_pushed(images: Images, put: Put, name: str) -> None:
    with pytest.raises(ImageNotFound):
        images.push(f"{name}:1")
    with pytest.raises(ImageNotFound):
        images.push(name, all_tags=True)


def test_nothing_is_pushed_under_a_digest(images: Images, put: Put, name: str) -> None:
    sample = image("digest")
    put(sample, f"{name}:1")
    with pytest.raises(InvalidUsage, match="tag"):
        images.push(f"{name}@{sample.manifest.digest}")


def test_an_image_without_an_index_has_no_whole_one(images: Images, put: Put, name: str) -> None:
    put(image("single"), f"{name}:1")
    with pytest.raises(Conflict, match="index"):
        images.push(f"{name}:1", whole_index=True)
    with pytest.raises(PlatformNotFound, match="riscv64"):
        images.push(f"{name}:1", platform="linux/riscv64")


def test_an_index_with_platforms_missing_says_how_to_have_them(
    images: Images, put: Put, name: str, tmp_path: Path
) -> None:
    both = index(image("arm", platform="linux/arm64"), image("amd", platform="linux/amd64"))
    layout = both.layout(tmp_path / "layout", f"{name}:1")
    skopeo(
        "copy", "-q", "--all", "--dest-tls-verify=false", f"oci:{layout}:1", f"docker://{name}:1"
    )
    images.pull(f"{name}:1", platform="linux/amd64")
    with pytest.raises(BlobNotFound) as caught:
        images.push(f"{name}:1", whole_index=True)
    assert any("whole index" in note for note in caught.value.__notes__)


def test_limits_are_the_documented_ones() -> None:
    assert Limits() == DEFAULT
    assert (DEFAULT.idle, DEFAULT.redirects, DEFAULT.document_body) == (30, 5, 4 << 20)
