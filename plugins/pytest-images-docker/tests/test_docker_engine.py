"""The engine against a real daemon: the contract of engines, and what is its own."""

from __future__ import annotations

import pickle
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from pytest_images_docker.engine import DockerEngine

from pytest_images import (
    Conflict,
    Host,
    ImageNotFound,
    InvalidUsage,
    Unreachable,
    Unsupported,
)
from pytest_images.testing import samples
from pytest_images.testing.contract import EngineContract
from tests.peers import serving_docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_images import Images
    from tests.peers import Docker


@pytest.fixture(scope="session")
def daemon() -> Iterator[Docker]:
    """One daemon for all tests of this process."""
    with serving_docker() as docker:
        yield docker


@pytest.fixture
def docker(daemon: Docker, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """The daemon, empty, and where `DOCKER_HOST` says."""
    ids = set(daemon("image", "ls", "-aq", "--no-trunc").decode().split())
    if ids:
        daemon("image", "rm", "-f", *ids)
    monkeypatch.setenv("DOCKER_HOST", daemon.address)
    return daemon


class TestDocker(EngineContract):
    verbs = frozenset({"history", "import", "inspect", "load", "ls", "prune", "rm", "save", "tag"})

    @pytest.fixture
    def engine(self, docker: Docker) -> object:
        return DockerEngine()


@pytest.fixture
def images(docker: Docker, tmp_path: Path) -> Iterator[Images]:
    """The door of a host that has the plugin because it is installed; nothing is chosen."""
    with Host(home=tmp_path / "home", durability="fast") as host:
        yield host.images


def test_an_image_is_handed_to_docker_under_its_name_and_id(images: Images, docker: Docker) -> None:
    images.load(BytesIO(samples.image("app", layers=3).archive("team/app:1")))
    there = images.copy("team/app:1", to=images.using("docker"))
    assert there.id == images.inspect("team/app:1").image.id
    assert [tag.familiar for tag in there.tags] == ["team/app:1"]
    shown = docker("image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
    assert shown.decode() == f"team/app:1 {there.id}\n"


def test_an_image_is_taken_from_docker_unchanged(images: Images, docker: Docker) -> None:
    sample = samples.image("app", layers=2)
    docker("load", stdin=sample.archive("app:1", form="docker-old"))
    here = images.using("docker").copy("app:1", to=images)
    assert here.id == sample.config.id
    assert images.config("app:1").raw == sample.config.raw


def test_layers_that_the_daemon_cannot_read_are_handed_over_as_it_can(images: Images) -> None:
    sample = samples.image("packed", compression="zstd")
    images.load(BytesIO(sample.archive("app:1")))
    assert images.copy("app:1", to=images.using("docker")).id == sample.config.id


def test_looking_whether_an_image_is_there_moves_no_layer(
    images: Images, docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker("load", stdin=samples.image("app").archive("app:1", form="docker-old"))
    monkeypatch.setattr("pytest_images_docker.engine.passing", None)  # calling it would fail
    there = images.using("docker")
    assert there.exists("app:1")
    assert not there.exists("app:2")
    assert there.get("app:1", "never").size == 1000


def test_an_inspection_pickles_with_its_documents(images: Images, docker: Docker) -> None:
    sample = samples.image("app")
    docker("load", stdin=sample.archive("app:1", form="docker-old"))
    inspection = images.using("docker").inspect("app:1")
    copied = pickle.loads(pickle.dumps(inspection))
    assert copied.config.raw == sample.config.raw
    assert [layer.digest for layer in copied.manifest.layers] == [*sample.config.diff_ids]


def test_an_id_with_names_in_two_repositories_is_not_removed(
    images: Images, docker: Docker
) -> None:
    sample = samples.image("app")
    docker("load", stdin=sample.archive("app:1", "other:1", form="docker-old"))
    there = images.using("docker")
    with pytest.raises(Conflict, match="multiple repositories"):
        there.rm(sample.config.id)
    assert len(there.rm(sample.config.id, force=True)) == 4  # two names, the image, its layer


def test_a_filter_that_the_daemon_does_not_know_is_named(images: Images) -> None:
    with pytest.raises(InvalidUsage, match="Invalid filter 'colour'"):
        images.using("docker").ls(filters={"colour": "red"})


def test_a_daemon_that_is_not_there_is_named_with_what_to_do(
    images: Images, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(Unreachable, match=r"none\.sock.*No such file") as caught:
        images.using("docker").ls()
    assert "Start Docker" in caught.value.__notes__[0]


def test_the_command_takes_the_engine_by_name(
    images: Images, docker: Docker, capsys: pytest.CaptureFixture[str]
) -> None:
    from pytest_images.cli import main

    docker("load", stdin=samples.image("app").archive("app:1", form="docker-old"))
    assert main(["--engine", "docker", "ls", "-q"]) == 0
    assert capsys.readouterr().out == f"{samples.image('app').config.id.short}\n"


@pytest.mark.parametrize("verb", ["pull", "push", "build"])
def test_a_verb_that_it_has_not_says_so(images: Images, verb: str) -> None:
    there = images.using("docker")
    arguments: dict[str, list[Any]] = {"build": [{}]}
    with pytest.raises(Unsupported, match=verb):
        getattr(there, verb)(*arguments.get(verb, ["app:1"]))


def test_a_name_that_nobody_has_is_not_found_in_docker(images: Images) -> None:
    with pytest.raises(ImageNotFound, match=r"missing:1.*docker\.sock"):
        images.using("docker").inspect("missing:1")
