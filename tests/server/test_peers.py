"""The tools that people use, against our registry: they push to it, pull from it, and agree."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples
from tests.peers import peer, serving_docker
from tests.server.talk import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.server.registry import Registry

SAMPLE = samples.image("peer", layers=3)
DOCKER = samples.image("peer", layers=2, docker=True)
INDEX = samples.index(SAMPLE, samples.image("peer", platform="linux/arm64"))
SECONDS = 120


def run(*words: object) -> str:
    """Run a peer's command; its output belongs to the failure."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=_environment(),
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def _environment() -> dict[str, str]:
    """No settings of Docker's: buildah insists on the file that DOCKER_CONFIG leads to."""
    return {name: value for name, value in os.environ.items() if name != "DOCKER_CONFIG"}


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder of a short path: sockets and podman's run folder allow no long ones."""
    with tempfile.TemporaryDirectory(prefix="peer-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.peer("skopeo")
@pytest.mark.parametrize("form", ["oci", "docker"])
def test_skopeo_copies_an_image_in_and_out(registry: Registry, tmp_path: Path, form: str) -> None:
    sample = SAMPLE if form == "oci" else DOCKER
    client = Client(registry)
    client.push(sample, "in", "team/app")
    source, target = f"docker://{registry}/team/app:in", f"docker://{registry}/team/copy:out"
    place = f"dir:{tmp_path / 'copy'}"
    run("skopeo", "copy", "--preserve-digests", "--src-tls-verify=false", source, place)
    run("skopeo", "copy", "--preserve-digests", "--dest-tls-verify=false", place, target)
    answer = client.ask("GET", "/v2/team/copy/manifests/out")
    client.close()
    assert answer.body == sample.manifest.raw


@pytest.mark.peer("skopeo")
def test_skopeo_copies_an_index_whole_from_repository_to_repository(registry: Registry) -> None:
    client = Client(registry)
    client.push_index(INDEX, "multi", "one")
    both = ("--src-tls-verify=false", "--dest-tls-verify=false")
    source, target = f"docker://{registry}/one:multi", f"docker://{registry}/two:multi"
    run("skopeo", "copy", "--all", *both, source, target)
    answer = client.ask("GET", "/v2/two/manifests/multi")
    client.close()
    assert answer.body == INDEX.index.raw


@pytest.mark.peer("skopeo")
def test_skopeo_lists_inspects_and_deletes(registry: Registry) -> None:
    client = Client(registry)
    for tag in ("1", "2"):
        client.push(SAMPLE, tag)
    client.close()
    name = f"docker://{registry}/app"
    listed = json.loads(run("skopeo", "list-tags", "--tls-verify=false", name))
    assert listed["Tags"] == ["1", "2"]
    inspected = json.loads(run("skopeo", "inspect", "--tls-verify=false", f"{name}:1"))
    assert inspected["Digest"] == str(SAMPLE.manifest.digest)
    run("skopeo", "delete", "--tls-verify=false", f"{name}:1")
    assert registry.shelf.tags("app") == []


@pytest.fixture
def podman(tmp_path: Path, short: Path) -> tuple[str, ...]:
    """Podman with a storage of its own."""
    return (
        peer("podman"),
        f"--root={tmp_path / 'podman'}",
        f"--runroot={short}",
        f"--tmpdir={tmp_path / 'podman-tmp'}",
        "--storage-driver=vfs",
        "--cgroup-manager=cgroupfs",
        "--events-backend=none",
    )


@pytest.mark.peer("podman")
def test_podman_pulls_and_pushes(registry: Registry, podman: tuple[str, ...]) -> None:
    client = Client(registry)
    client.push(SAMPLE, "in")
    run(*podman, "pull", "--tls-verify=false", f"{registry}/app:in")
    run(*podman, "tag", f"{registry}/app:in", f"{registry}/other:out")
    run(*podman, "push", "--tls-verify=false", f"{registry}/other:out")
    pushed = client.ask("GET", "/v2/other/manifests/out").json()
    client.close()
    assert pushed["config"]["digest"] == str(SAMPLE.config.id)
    assert len(pushed["layers"]) == 3
    run(*podman, "rmi", "--all", "--force")
    run(*podman, "pull", "--tls-verify=false", f"{registry}/other:out")
    listed = run(*podman, "images", "--no-trunc", "--format={{.ID}}")
    assert listed.strip() == str(SAMPLE.config.id)


@pytest.mark.peer("buildah")
def test_buildah_pushes_what_it_commits(registry: Registry, tmp_path: Path) -> None:
    buildah = (
        peer("buildah"),
        f"--root={tmp_path / 'buildah'}",
        f"--runroot={tmp_path / 'buildah-run'}",
        "--storage-driver=vfs",
    )
    container = run(*buildah, "from", "scratch").strip()
    target = f"docker://{registry}/built:1"
    run(*buildah, "config", "--label=a=b", container)
    run(*buildah, "commit", "--tls-verify=false", container, target)
    run(*buildah, "rm", container)
    client = Client(registry)
    manifest = client.ask("GET", "/v2/built/manifests/1").json()
    config = client.ask("GET", f"/v2/built/blobs/{manifest['config']['digest']}").json()
    client.close()
    assert config["config"]["Labels"]["a"] == "b"


@pytest.mark.peer("docker", "dockerd", "root")
def test_docker_pulls_and_pushes(registry: Registry) -> None:
    client = Client(registry)
    client.push(SAMPLE, "in")
    with serving_docker() as docker:
        docker("pull", f"{registry}/app:in")
        docker("tag", f"{registry}/app:in", f"{registry}/other:out")
        docker("push", f"{registry}/other:out")
    pushed = client.ask("GET", "/v2/other/manifests/out").json()
    client.close()
    assert pushed["config"]["digest"] == str(SAMPLE.config.id)
    mounts = [r for r in registry.requests if r.method == "POST" and "mount=" in r.path]
    assert mounts, "Docker mounts the layers it knows from the other repository"
    assert {request.status for request in mounts} == {201}


@pytest.mark.peer("curl")
def test_curl_uploads_and_resumes_a_download(registry: Registry, tmp_path: Path) -> None:
    content = bytes(range(256)) * 8000
    file, out = tmp_path / "blob", tmp_path / "out"
    file.write_bytes(content)
    client = Client(registry)
    where = client.begin()
    digest = client.push_blob(content, "other")
    url = f"http://{registry}{where}?digest={digest}"
    run("curl", "-sSf", "-T", file, "-H", "Expect: 100-continue", url)
    out.write_bytes(content[:1000])
    run("curl", "-sSf", "-C", "-", "-o", out, f"http://{registry}/v2/app/blobs/{digest}")
    client.close()
    assert out.read_bytes() == content
    assert registry.requests[-1].status == 206
