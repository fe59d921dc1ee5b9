from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from pytest_images.engine.docker_json import to_docker_json
from pytest_images.errors import ImageNotFound, PlatformNotFound
from pytest_images.model.config import Config
from pytest_images.model.inspection import Inspection
from pytest_images.model.reference import Reference
from pytest_images.testing import samples
from tests.engine.conftest import loaded
from tests.peers import peer

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from tests.engine.conftest import Put

ONE = samples.image("one", labels={"a": "b"})
ARM = samples.image("arm", platform="linux/arm64")
BOTH = samples.index(ONE, ARM)


def test_an_inspection_has_the_documents_byte_for_byte(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    found = images.inspect("app:1")
    assert (found.config, found.manifest) == (ONE.config, ONE.manifest)
    assert (found.image.size, found.image.labels) == (1000, {"a": "b"})


def test_an_id_its_start_and_a_name_mean_the_same_image(images: Images, put: Put) -> None:
    put(ONE, "app:1")
    for text in ("app:1", ONE.config.id.short, str(ONE.config.id)):
        assert images.inspect(text).image.id == ONE.config.id


def test_another_platform_of_the_same_index_is_found(images: Images) -> None:
    from io import BytesIO

    images.load(BytesIO(BOTH.archive("app:1")), platforms=["linux/amd64", "linux/arm64"])
    assert images.inspect("app:1").image.id == ONE.config.id
    assert images.inspect("app:1", platform="arm64").image.id == ARM.config.id
    with pytest.raises(PlatformNotFound, match=r"linux/s390x.*linux/amd64, linux/arm64"):
        images.inspect("app:1", platform="s390x")


def test_the_platforms_of_a_whole_index_are_found_though_not_recorded(
    images: Images, store: Store
) -> None:
    with store.lease() as lease:
        for digest, content in BOTH.blobs.items():
            lease.hold(digest)
            store.put(content, digest)
        store.add(ONE.manifest, ONE.config, [Reference.parse("app:1")], index=BOTH.index.digest)
    inspection = images.inspect("app:1", platform="arm64")
    assert (inspection.image.id, inspection.config.id) == (ARM.config.id, ARM.config.id)
    assert [tag.familiar for tag in inspection.image.tags] == ["app:1"]
    assert inspection.image.size == 1000
    assert inspection.index == BOTH.index
    assert len(images.ls()) == 1


def test_what_is_not_here_is_named(images: Images) -> None:
    with pytest.raises(ImageNotFound, match="No such image: app:latest"):
        images.inspect("app")


def test_docker_s_json_has_docker_s_fields(images: Images) -> None:
    loaded(images, ONE.archive("app:1", "registry.test/app:2"))
    found = to_docker_json(images.inspect("app:1"))
    assert found["Id"] == str(ONE.config.id)
    assert found["RepoTags"] == ["app:1", "registry.test/app:2"]
    assert (found["RepoDigests"], found["Parent"], found["Size"]) == ([], "", 1000)
    assert (found["Architecture"], found["Os"]) == ("amd64", "linux")
    assert found["Created"] == samples.CREATED
    assert found["RootFS"] == {"Type": "layers", "Layers": [str(ONE.config.diff_ids[0])]}
    assert found["Config"]["Labels"] == {"a": "b"}
    assert found["Config"]["Entrypoint"] is None
    assert found["Descriptor"]["digest"] == str(ONE.manifest.digest)


def test_what_a_config_does_not_say_is_shown_as_docker_shows_it(images: Images, put: Put) -> None:
    image = put(ONE)
    raw = {"architecture": "arm64", "variant": "v8", "config": {"cmd": ["x"]}, "rootfs": {}}
    config = Config.parse(json.dumps(raw).encode())
    found = to_docker_json(Inspection(image, config, ONE.manifest))
    assert found["Created"] == found["Metadata"]["LastTagTime"] == "0001-01-01T00:00:00Z"
    assert (found["Architecture"], found["Variant"]) == ("arm64", "v8")
    assert found["Config"]["Cmd"] == ["x"]
    assert found["RootFS"] == {"Type": "layers"}


@pytest.mark.peer("skopeo", "shared")
def test_skopeo_says_the_same_of_a_real_image(images: Images, shared: Path) -> None:
    archive = shared / "archives" / "docker-20.10-save-alpine3.12+hello-world.tar"
    images.load(archive)
    ours = to_docker_json(images.inspect("alpine:3.12"))
    assert (ours["Size"], ours["Id"][7:19]) == (5576689, "28e11d580e25")
    skopeo = subprocess.run(
        [peer("skopeo"), "inspect", "--config", f"docker-archive:{archive}:alpine:3.12"],
        capture_output=True,
        check=True,
    )
    theirs = json.loads(skopeo.stdout)
    assert ours["RootFS"]["Layers"] == theirs["rootfs"]["diff_ids"]
    assert ours["Config"]["Env"] == theirs["config"]["Env"]
