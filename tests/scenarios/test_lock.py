"""A suite with a lock file, against a real registry that writes down what it is asked."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.host import Host
from pytest_images.testing import samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_images.testing.samples import Sample
    from tests.peers import DockerRegistry

SUITE = r"""
    import pytest
    from pytest_images import pulled

    app = pulled("registry.test/app:1")

    @pytest.mark.parametrize("n", range(4))
    def test_app(app, images, n):
        assert images.config(app)

    @pytest.mark.image("registry.test/other:1")
    def test_other(marked_images): ...

    def test_base(images):
        dockerfile = b"FROM registry.test/base:1 AS base\nFROM base\nLABEL a=b"
        assert images.build({"Dockerfile": dockerfile}).image
"""
NAMES = ["app:1", "base:1", "other:1"]

pytestmark = pytest.mark.peer("registry")


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> str:
    """The part of the registry that is the test's own."""
    return re.sub("[^a-z0-9]+", "-", request.node.name).strip("-")


@pytest.fixture
def publish(docker_registry: DockerRegistry, tmp_path: Path, folder: str) -> Callable[..., Sample]:
    """Give names on the registry to an image of a seed."""

    def publish(seed: str) -> Sample:
        sample = samples.image(seed)
        with Host(home=tmp_path / "publisher", load_entry_points=False) as host:
            for name in NAMES:
                place = f"{docker_registry}/{folder}/{name}"
                host.images.load(BytesIO(sample.archive(place)))
                host.images.push(place)
        return sample

    return publish


class Story:
    """Runs of the suite, each with what they asked the registry for."""

    def __init__(self, pytester: pytest.Pytester, registry: DockerRegistry, folder: str) -> None:
        self._pytester, self._registry, self._folder = pytester, registry, folder
        self.lock = pytester.path / "images.lock"
        pytester.makepyfile(SUITE)
        mirror = f"registry.test = {registry}/{folder} only"
        pytester.makeini(f"[pytest]\nimages_mirrors =\n  {mirror}\n")

    def run(self, *options: str) -> tuple[pytest.RunResult, list[str], int]:
        """Return the result, the requests by tag, and how many there were in all."""
        before = len(self._requests())
        result = self._pytester.runpytest_subprocess(*options)
        new = self._requests()[before:]
        return result, sorted(each for each in new if each.endswith("/manifests/1")), len(new)

    def _requests(self) -> list[str]:
        log = "\n".join(self._registry.access_log())
        found = re.findall(rf'"((?:GET|HEAD) /v2/{self._folder}/\S+) HTTP', log)
        return [str(each) for each in found]


@pytest.fixture
def story(pytester: pytest.Pytester, docker_registry: DockerRegistry, folder: str) -> Story:
    return Story(pytester, docker_registry, folder)


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_locked_suite_asks_for_tags_once_and_never_again(
    story: Story, publish: Callable[..., Sample], folder: str, options: tuple[str, ...]
) -> None:
    first = publish("first")
    result, tags, _ = story.run("--images-lock=update", *options)
    result.assert_outcomes(passed=6)
    paths = [f"GET /v2/{folder}/{name.replace(':', '/manifests/')}" for name in NAMES]
    assert [each for each in tags if each.startswith("GET")] == paths
    result.stdout.fnmatch_lines([f"images.lock: registry.test/{name}: added, *" for name in NAMES])
    lock = story.lock.read_text()
    lines = [line for line in lock.splitlines() if line.startswith('"')]
    assert [line.split('"')[1] for line in lines] == [f"registry.test/{name}" for name in NAMES]
    assert all(str(first.manifest.digest) in line and ", size = " in line for line in lines)

    publish("second")  # every tag moves
    result, tags, requests = story.run(*options)
    result.assert_outcomes(passed=6)
    assert (tags, requests) == ([], 0)  # all of it is cached
    result, _, requests = story.run("--images-plan")
    result.stdout.fnmatch_lines(["images plan: 2 for 5 *, 0 to fetch (0B), manifest requests: 0"])
    assert requests == 0
    assert story.lock.read_text() == lock

    result, tags, requests = story.run("--images-offline", *options)
    result.assert_outcomes(passed=6)
    assert (tags, requests) == ([], 0)

    result, tags, _ = story.run("--images-lock=verify", *options)
    outcomes = result.parseoutcomes()
    assert (outcomes["errors"], outcomes["failed"]) == (5, 1)
    result.stdout.fnmatch_lines(["*TagMoved: registry.test/*", f"*- {first.manifest.digest}*"])
    assert story.lock.read_text() == lock

    result, _, _ = story.run("--images-lock=update", *options)
    result.assert_outcomes(passed=6)
    for name in NAMES:
        moved = [f"images.lock: registry.test/{name}: moved", f"- {first.manifest.digest}*"]
        result.stdout.fnmatch_lines(moved)
    assert str(first.manifest.digest) not in story.lock.read_text()


def test_a_name_that_is_not_locked_fails_without_a_request(
    story: Story, publish: Callable[..., Sample]
) -> None:
    publish("first")
    result, _, _ = story.run("--images-lock=update", "-k", "app or base")
    result.assert_outcomes(passed=5, deselected=1)
    result, tags, requests = story.run()
    result.assert_outcomes(passed=5, errors=1)
    assert (tags, requests) == ([], 0)
    result.stdout.fnmatch_lines(
        [
            "*NotLocked: registry.test/other:1: not in the lock file */images.lock",
            "*add it: pytest-images lock registry.test/other:1",
        ]
    )
    result, tags, _ = story.run("--images-lock=off")
    result.assert_outcomes(passed=6)
    assert len(tags) == 3


def test_offline_a_suite_that_has_nothing_fails_with_the_commands(story: Story) -> None:
    mirror = "--images-mirror=registry.test = 10.0.0.1"
    result, _, requests = story.run("--images-offline", mirror)
    result.assert_outcomes(errors=5, failed=1)
    assert requests == 0
    result.stdout.fnmatch_lines(
        ["*MissingOffline: registry.test/app:1: *", "*fetch it *pull registry.test/app:1"]
    )
