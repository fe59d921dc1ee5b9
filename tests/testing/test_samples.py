from __future__ import annotations

import subprocess
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.model.digest import Digest
from pytest_images.testing import samples
from tests.peers import peer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers import DockerRegistry


def test_a_sample_is_the_same_whenever_it_is_made() -> None:
    assert (
        samples.image("one", layers=2).manifest.raw == samples.image("one", layers=2).manifest.raw
    )


def test_a_sample_of_another_seed_is_another_image() -> None:
    assert samples.image("one").config.id != samples.image("two").config.id


def test_every_blob_of_a_sample_has_its_digest() -> None:
    index = samples.index(samples.image("a"), samples.image("b", platform="linux/arm64"))
    assert all(Digest.of(raw) == digest for digest, raw in index.blobs.items())


@pytest.mark.parametrize("form", ["oci", "docker", "docker-old"])
def test_an_archive_of_a_sample_is_a_tar(form: str) -> None:
    with tarfile.open(fileobj=BytesIO(samples.image().archive("app:1", form=form))) as tar:
        assert tar.getnames()


@pytest.mark.parametrize("form", ["oci-archive", "docker-archive"])
@pytest.mark.peer("skopeo", "registry")
def test_skopeo_accepts_a_sample(
    form: str, tmp_path: Path, docker_registry: DockerRegistry
) -> None:
    archive = tmp_path / "sample.tar"
    own = "oci" if form == "oci-archive" else "docker-old"
    archive.write_bytes(samples.image(form, layers=2).archive("app:1", form=own))
    target = f"docker://{docker_registry}/samples/{form}:1"
    command = [peer("skopeo"), "--insecure-policy", "copy", "--dest-tls-verify=false"]
    subprocess.run([*command, f"{form}:{archive}", target], check=True, timeout=60)
    assert docker_registry.access_log("PUT /v2/samples")
