"""Archives that others wrote: those of the shared folder, and what each peer here saves."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
from typing import TYPE_CHECKING

import pytest
import zstandard

from pytest_images.model.platform import Platform
from pytest_images.testing import samples
from tests.peers import Storage, peer, serving_docker, storing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_images.archive.found import Found
    from tests.archive.conftest import Loading

ALPINE_12 = "28e11d580e2518b5f002cf349cddd3e23060cf1f5ffebba8b9c34869d7e43ed1"
ALPINE_20 = "9381befd14f2544ce7b55b2d03a5f76ac1da83005cea599aa7e88213cbfdc4af"
ALPINE_20_DOCKER = "67462df898b5c71a94f0327caef8e5949e1a16311dccb0b4dcd709da11e923b0"
HELLO = "07b26f090c77b38e80b8cba7f053292f84097ddd199fbabebb05fe86327117f7"
HELLO_AMD = "e5a3a6cc3bf851844dfc1af72666431245f0e5f38f215767a75d69868650b694"
HELLO_ARM = "09fab392b7c0ba5a4d90fb3d6ca3a7bde527de15247a2a77bb098834a626a9af"

SHARED = {
    "docker-20.10-save-alpine3.12+hello-world.tar": {
        "alpine:3.12": ALPINE_12,
        "hello-world:latest": HELLO,
    },
    "skopeo-docker-archive-alpine3.20.tar": {"alpine:3.20": ALPINE_20_DOCKER},
    "skopeo-oci-archive-alpine3.20.tar": {"alpine:3.20": ALPINE_20},
    "skopeo-oci-layout-zstd-alpine3.20.tar": {"alpine:3.20-zstd": ALPINE_20},
    "buildah-oci-archive-multiarch-hello-world.tar": {"hello-world:latest": HELLO_AMD},
}
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda raw: gzip.compress(raw, 1),
    "zstd": zstandard.compress,
    "xz": lambda raw: lzma.compress(raw, preset=0),
    "bzip2": bz2.compress,
}


def ids(found: tuple[Found, ...]) -> dict[str, str]:
    return {name.familiar: item.config.id.encoded for item in found for name in item.references}


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The known IDs are those that an amd64 machine takes."""
    amd = Platform.parse("linux/amd64")
    monkeypatch.setattr("pytest_images.archive.load.host_platform", lambda: amd)


@pytest.mark.parametrize("name", SHARED)
def test_shared_archives_have_their_known_ids(
    load: Loading, shared: Path, name: str, host: None
) -> None:
    assert ids(load(shared / "archives" / name)) == SHARED[name]


@pytest.mark.parametrize("compression", COMPRESS)
def test_shared_archives_load_from_any_compression(
    load: Loading, shared: Path, compression: str
) -> None:
    name = "docker-20.10-save-alpine3.12+hello-world.tar"
    wrapped = COMPRESS[compression]((shared / "archives" / name).read_bytes())
    assert ids(load(wrapped)) == SHARED[name]


def test_the_shared_index_keeps_its_manifests_digests(load: Loading, shared: Path) -> None:
    archive = shared / "archives" / "buildah-oci-archive-multiarch-hello-world.tar"
    wanted = [Platform.parse("linux/arm64"), Platform.parse("linux/amd64")]
    found = load(archive, wanted)
    assert [each.config.id.encoded for each in found] == [HELLO_ARM, HELLO_AMD]
    assert {str(each.index)[:15] for each in found} == {"sha256:2ff4a67b"}


def test_the_shared_zstd_layout_loads_as_a_folder(
    load: Loading, shared: Path, tmp_path: Path
) -> None:
    archive = shared / "archives" / "skopeo-oci-layout-zstd-alpine3.20.tar"
    (tmp_path / "layout").mkdir()
    subprocess.run([peer("tar"), "xf", archive, "-C", tmp_path / "layout"], check=True)
    assert ids(load(tmp_path / "layout")) == {"alpine:3.20-zstd": ALPINE_20}


ONE = samples.image("peer", layers=2)


@pytest.fixture
def layout(tmp_path: Path) -> str:
    """A sample as a layout whose name skopeo and podman understand."""
    folder = ONE.layout(tmp_path / "layout")
    return f"oci:{folder}"


@pytest.mark.peer("skopeo")
@pytest.mark.parametrize("transport", ["oci-archive", "docker-archive", "oci"])
@pytest.mark.parametrize("options", [[], ["--dest-compress-format", "zstd"]])
def test_what_skopeo_saves_is_loaded(
    load: Loading, layout: str, tmp_path: Path, transport: str, options: list[str]
) -> None:
    out = tmp_path / "saved"
    target = f"{transport}:{out}:app:1"
    skopeo = [peer("skopeo"), "copy", "-q", "--insecure-policy", *options]
    subprocess.run([*skopeo, layout, target], check=True)
    (found,) = load(out)
    assert [name.familiar for name in found.references] == ["app:1"]
    assert found.config.diff_ids == ONE.config.diff_ids


@pytest.fixture
def podman() -> Iterator[Storage]:
    with storing("podman") as podman:
        yield podman


@pytest.fixture
def buildah() -> Iterator[Storage]:
    with storing("buildah") as buildah:
        yield buildah


@pytest.mark.peer("podman", "root")
@pytest.mark.parametrize("form", ["docker-archive", "oci-archive", "oci-dir", "docker-archive -m"])
def test_what_podman_saves_is_loaded(
    load: Loading, podman: Storage, tmp_path: Path, form: str
) -> None:
    """T26."""
    names = ["app.test/one:1", "app.test/two:2"] if form.endswith("-m") else ["app.test/one:1"]
    archive = tmp_path / "archive.tar"
    for name in names:
        archive.write_bytes(samples.image(name).archive(name))
        podman("load", "-q", "-i", archive)
    out = tmp_path / "saved"
    podman("save", "-q", "--format", *form.split(), "-o", out, *names)
    found = ids(load(out))
    assert found == {name: samples.image(name).config.id.encoded for name in names}


@pytest.mark.peer("buildah", "root")
def test_what_buildah_pushes_into_an_archive_is_loaded(
    load: Loading, buildah: Storage, tmp_path: Path
) -> None:
    archive = buildah.folder / "one.tar"  # buildah makes a name of the path
    archive.write_bytes(ONE.archive("app.test/one:1"))
    buildah("pull", "-q", f"oci-archive:{archive}")
    for transport in ("oci-archive", "docker-archive"):
        out = tmp_path / transport
        buildah("push", "-q", ONE.config.id.encoded, f"{transport}:{out}:app:1")
        (found,) = load(out)
        assert found.config.diff_ids == ONE.config.diff_ids


@pytest.mark.peer("dockerd", "docker", "root")
def test_what_docker_saves_is_loaded(load: Loading) -> None:
    """T26."""
    saved = {"app.test/one:1": samples.image("one"), "app.test/two:2": samples.image("two")}
    with serving_docker() as docker:
        for name, sample in saved.items():
            docker("load", "-q", stdin=sample.archive(name, form="docker-old"))
        found = ids(load(docker("save", *saved)))
    assert found == {name: sample.config.id.encoded for name, sample in saved.items()}
