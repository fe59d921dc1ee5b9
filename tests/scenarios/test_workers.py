"""One run, many workers."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store
from pytest_images.host import Host
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers import DockerRegistry
    from tests.scenarios.conftest import Aftermath

# Eight tests on four workers all want one image from the same registry.
SUITE = """
    import pytest
    from pytest_images import pulled

    app = pulled({name!r})

    @pytest.mark.parametrize("n", range(8))
    def test_it(app, images, n):
        assert images.inspect(app).image.id == app.id
"""
MAKES = """
    import os, time
    from io import BytesIO
    import pytest
    from pytest_images.testing import samples

    @pytest.mark.parametrize("n", range(4))
    def test_makes(images, image_registry, n):
        images.load(BytesIO(samples.image(f"{n}").archive(f"made:{n}")))
        name = image_registry.reference("made:1")
        images.tag(f"made:{n}", name)
        images.push(name)
        assert images.exists(f"made:{n}")
"""


@pytest.fixture
def published(docker_registry: DockerRegistry, request: pytest.FixtureRequest) -> str:
    """The name of an image of three layers on a real registry."""
    seed = re.sub("[^a-z0-9]+", "-", request.node.name).strip("-")
    name = f"{docker_registry}/{seed}/app:1"
    with Host(load_entry_points=False) as host:
        sample = samples.image(seed, layers=3, size=50_000)
        host.images.load(BytesIO(sample.archive(name)))
        host.images.push(name)
        host.images.rm(name)
        host.embedded.store.collect(0)
    return name


@pytest.mark.peer("registry")
def test_many_workers_download_each_blob_once(
    pytester: pytest.Pytester,
    published: str,
    docker_registry: DockerRegistry,
    aftermath: Aftermath,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh = pytester.path / "fresh-store"
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(fresh))
    aftermath.home = fresh
    pytester.makepyfile(SUITE.format(name=published))
    before = len(docker_registry.access_log("/manifests/"))
    result = pytester.runpytest_subprocess("-n", "4")
    result.assert_outcomes(passed=8)
    assert len(docker_registry.access_log("/manifests/")) == before + 1
    repository = published.split("/", 1)[1].rpartition(":")[0]
    gets = [
        match[1]
        for line in docker_registry.access_log(f"/v2/{repository}/blobs/")
        if (match := re.search(r"GET (/v2/\S+/blobs/\S+)", line))
    ]
    assert len(gets) == len(set(gets)) == 4
    result.stdout.fnmatch_lines(["images: 1 pulled (*kB)*"])
    assert aftermath.is_clean()


def test_what_workers_make_is_gone_and_counted_once(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    pytester.makepyfile(MAKES)
    result = pytester.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=4)
    assert result.stdout.str().count("images: 4 pushed, ") == 1
    assert aftermath.is_clean()


@pytest.mark.parametrize("death", ["os._exit(3)", "os.kill(os.getpid(), 9)"])
def test_a_worker_that_dies_leaves_nothing_and_the_others_go_on(
    pytester: pytest.Pytester, aftermath: Aftermath, death: str
) -> None:
    """Y01."""
    pytester.makepyfile(MAKES + f"\n    def test_dies(images):\n        images.ls(); {death}\n")
    result = pytester.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(["*worker*crashed*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    assert aftermath.is_clean()


def test_a_session_fixture_that_fails_in_a_worker_frees_its_half(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    """Y10."""
    pytester.makeconftest(
        """
        import pytest
        from io import BytesIO
        from pytest_images.testing import samples

        @pytest.fixture(scope="session")
        def half(images, image_registry_session, worker_id):
            images.load(BytesIO(samples.image(worker_id).archive(f"half:{worker_id}")))
            if worker_id == "gw0":
                images.pull(image_registry_session.namespace().reference("missing:1"))
        """
    )
    pytester.makepyfile(
        "import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_it(half, n): pass"
    )
    result = pytester.runpytest_subprocess("-n", "2", "--dist=each")
    assert result.parseoutcomes() == {"passed": 6, "errors": 6}
    result.stdout.fnmatch_lines(["E*ImageNotFound: *missing:1*"])
    assert aftermath.is_clean()


def test_workers_that_use_no_images_touch_no_store(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    pytester.makepyfile("import os\ndef test_it(): pass\ndef test_dies(): os._exit(1)")
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=1, failed=1)
    assert not aftermath.home.exists()


def test_a_file_that_cannot_be_collected_is_told_as_that(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    pytester.makepyfile(test_broken="import nothing_of_that_name", test_fine=MAKES)
    result = pytester.runpytest_subprocess("-n", "2")
    result.assert_outcomes(errors=1, passed=4)
    result.stdout.fnmatch_lines(["E*No module named 'nothing_of_that_name'"])
    result.stderr.no_fnmatch_line("*Error*")
    assert aftermath.is_clean()


def test_a_run_lives_until_its_controller_ends_it(pytester: pytest.Pytester, home: Path) -> None:
    """Y06: another run begins, and sweeps, when the last worker has gone."""
    pytester.makeconftest(
        """
        from pytest_images.host import Host

        def pytest_testnodedown(node):
            with Host(load_entry_points=False) as other:
                other.embedded.store.sweep()
        """
    )
    pytester.makepyfile(MAKES)
    result = pytester.runpytest_subprocess("-n", "2", "--images-keep=always")
    result.assert_outcomes(passed=4)
    with Store.open(home) as store:
        names = {name.familiar for image in store.images() for name in image.tags}
    assert {f"made:{n}" for n in range(4)} <= names
