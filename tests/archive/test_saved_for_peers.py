"""What we save, loaded by the programs that people have: the same IDs, diff IDs and names."""

from __future__ import annotations

import json
import subprocess
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store
from pytest_images.host import Host
from pytest_images.testing import samples
from tests.archive.indexes import put_index
from tests.peers import Docker, Storage, peer, serving_docker, storing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Literal

    from pytest_images.images import Images
    from pytest_images.testing.samples import Sample

    Form = Literal["both", "oci", "docker"]

FORMS: list[Form] = ["both", "oci", "docker"]
KINDS = {
    "gzip": samples.image("gzip", layers=2),
    "plain": samples.image("plain", layers=2, compression="none"),
    "docker": samples.image("docker", layers=2, docker=True),
    "zstd": samples.image("zstd", layers=2, compression="zstd"),
}
NAME = "app.test/team/one:1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home") / "images"


@pytest.fixture(scope="module")
def images(home: Path) -> Iterator[Images]:
    with Host(home=home, durability="fast", load_entry_points=False) as host:
        yield host.images


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    with serving_docker() as docker:
        yield docker


@pytest.fixture(scope="module")
def podman() -> Iterator[Storage]:
    with storing("podman") as podman:
        yield podman


@pytest.fixture(scope="module")
def buildah() -> Iterator[Storage]:
    with storing("buildah") as buildah:
        yield buildah


def saved(images: Images, path: Path, form: Form, *named: tuple[Sample, str]) -> Path:
    """Save the samples under their names in one archive."""
    for sample, name in named:
        images.load(BytesIO(sample.archive(name)))
    images.save([name for _, name in named], path, form=form)
    return path


def diff_ids(sample: Sample) -> list[str]:
    return [str(digest) for digest in sample.config.diff_ids]


# Docker 20.10 knows no zstd: for it, layers are unpacked.
@pytest.mark.peer("docker", "dockerd", "root")
@pytest.mark.parametrize(
    ("form", "kind"),
    [("both", "gzip"), ("both", "plain"), ("both", "docker"), *(("docker", k) for k in KINDS)],
)
def test_docker_loads_it(
    images: Images, docker: Docker, tmp_path: Path, form: Form, kind: str
) -> None:
    sample = KINDS[kind]
    archive = saved(images, tmp_path / "saved.tar", form, (sample, NAME))
    assert docker("load", "-i", archive).decode() == f"Loaded image: {NAME}\n"
    [found] = json.loads(docker("image", "inspect", NAME))
    docker("image", "rm", NAME)
    assert found["Id"] == str(sample.config.id)
    assert found["RootFS"]["Layers"] == diff_ids(sample)


@pytest.mark.peer("docker", "dockerd", "root")
@pytest.mark.parametrize("form", ["both", "docker"])
def test_docker_loads_several_images_with_several_names(
    images: Images, docker: Docker, tmp_path: Path, form: Form
) -> None:
    one, two = KINDS["gzip"], KINDS["plain"]
    names = [(one, NAME), (one, "other.test/one:2"), (two, "two:1")]
    docker("load", "-q", "-i", saved(images, tmp_path / "saved.tar", form, *names))
    listed = docker("images", "--no-trunc", "--format={{.ID}} {{.Repository}}:{{.Tag}}")
    assert set(listed.decode().splitlines()) == {f"{i.config.id} {name}" for i, name in names}
    docker("image", "rm", *(name for _, name in names))


@pytest.mark.peer("docker", "dockerd", "root")
def test_docker_loads_an_image_without_a_name(
    images: Images, docker: Docker, tmp_path: Path
) -> None:
    sample = KINDS["gzip"]
    images.load(BytesIO(sample.archive(NAME)))
    images.save(str(sample.config.id), tmp_path / "saved.tar")
    told = docker("load", "-i", tmp_path / "saved.tar").decode()
    docker("image", "rm", str(sample.config.id))
    assert told == f"Loaded image ID: {sample.config.id}\n"


@pytest.mark.peer("podman", "root")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_podman_loads_it(
    images: Images, podman: Storage, tmp_path: Path, form: Form, kind: str
) -> None:
    sample = KINDS[kind]
    podman("load", "-i", saved(images, tmp_path / "saved.tar", form, (sample, NAME)))
    [found] = json.loads(podman("image", "inspect", sample.config.id.encoded))
    podman("rmi", "-f", sample.config.id.encoded)
    assert found["RepoTags"] == [NAME]
    assert found["RootFS"]["Layers"] == diff_ids(sample)


@pytest.mark.peer("podman", "root")
@pytest.mark.parametrize("form", ["both", "docker"])
def test_podman_loads_several_images(
    images: Images, podman: Storage, tmp_path: Path, form: Form
) -> None:
    names = [(KINDS["gzip"], NAME), (KINDS["plain"], "app.test/two:1")]
    podman("load", "-i", saved(images, tmp_path / "saved.tar", form, *names))
    found = {name: podman("image", "inspect", "--format={{.Id}}", name) for _, name in names}
    podman("rmi", "-f", *(name for _, name in names))
    assert {name: text.strip() for name, text in found.items()} == {
        name: sample.config.id.encoded for sample, name in names
    }


@pytest.mark.peer("skopeo")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("form", "place"),
    [
        ("both", "docker-archive:{}"),
        ("both", "docker-archive:{}:" + NAME),
        ("docker", "docker-archive:{}:" + NAME),
        ("both", "oci-archive:{}"),
        ("oci", "oci-archive:{}"),
        ("oci", "oci-archive:{}:1"),
    ],
)
def test_skopeo_reads_it(images: Images, tmp_path: Path, form: Form, place: str, kind: str) -> None:
    sample, out = KINDS[kind], tmp_path / "out"
    if kind == "docker" and place.endswith(":1") and form == "oci":
        place = "oci-archive:{}"  # skopeo looks for tags among OCI's manifests alone
    archive = saved(images, tmp_path / "saved.tar", form, (sample, NAME))
    words = ["copy", "-q", "--insecure-policy", place.format(archive), f"dir:{out}"]
    subprocess.run([peer("skopeo"), *words], check=True)
    manifest = json.loads((out / "manifest.json").read_text())
    config = json.loads((out / sample.config.id.encoded).read_text())
    assert manifest["config"]["digest"] == str(sample.config.id)
    assert config["rootfs"]["diff_ids"] == diff_ids(sample)
    if place.startswith("oci-archive"):
        assert (out / "manifest.json").read_bytes() == sample.manifest.raw


@pytest.mark.peer("skopeo")
def test_skopeo_reads_a_whole_index(images: Images, home: Path, tmp_path: Path) -> None:
    index = samples.index(KINDS["gzip"], samples.image("arm", platform="linux/arm64"))
    with Store.open(home) as store:
        put_index(store, index, NAME)
    images.save(NAME, tmp_path / "saved.tar", form="oci")
    where, out = f"oci-archive:{tmp_path / 'saved.tar'}", tmp_path / "out"
    words = [peer("skopeo"), "copy", "-q", "--all", "--insecure-policy", where, f"dir:{out}"]
    subprocess.run(words, check=True)
    assert (out / "manifest.json").read_bytes() == index.index.raw


@pytest.mark.peer("buildah", "root")
@pytest.mark.parametrize("transport", ["docker-archive", "oci-archive"])
def test_buildah_reads_it(images: Images, buildah: Storage, tmp_path: Path, transport: str) -> None:
    sample = KINDS["gzip"]
    archive = saved(images, tmp_path / "saved.tar", "both", (sample, NAME))
    assert buildah("pull", "-q", f"{transport}:{archive}").strip() == sample.config.id.encoded
    buildah("rmi", "-a", "-f")
