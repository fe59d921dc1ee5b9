"""What the selected tests need is known before they run, and fetched while the first do."""

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

    from tests.peers import DockerRegistry
    from tests.scenarios.conftest import Aftermath

    Publish = Callable[[str], str]

pytestmark = pytest.mark.peer("registry")


@pytest.fixture
def publish(
    docker_registry: DockerRegistry, request: pytest.FixtureRequest, tmp_path: Path
) -> Publish:
    """Put an image of this name's own on a real registry; return what it is called there."""
    seed = re.sub("[^a-z0-9]+", "-", request.node.name).strip("-")

    def put(name: str) -> str:
        full = f"{docker_registry}/{seed}/{name}"
        with Host(home=tmp_path / "publisher", load_entry_points=False) as host:
            sample = samples.image(f"{seed}-{name}", layers=2, size=20_000)
            host.images.load(BytesIO(sample.archive(full)))
            host.images.push(full)
        return full

    return put


def asked(registry: DockerRegistry, name: str) -> list[str]:
    """The requests for manifests of a repository, without those of who published it."""
    repository = name.split("/", 1)[1].rpartition(":")[0]
    lines = registry.access_log(f"/v2/{repository}/manifests/")
    return [line for line in lines if '"GET ' in line or '"HEAD ' in line]


SUITE = """
    import pytest, time
    from pytest_images import pulled

    one = pulled({one!r})
    two = pulled({two!r})

    def test_needs_nothing(request):
        # The plan's threads fetch what the others need.
        ahead = request.config.pluginmanager.get_plugin("images-ahead")
        for thread in ahead._background._threads:
            thread.join(30)

    def test_one(one, images): assert images.exists(one)
    def test_two(two): pass

    @pytest.mark.image({one!r})
    def test_marked(marked_images, one): assert marked_images[{one!r}] == one
"""


def test_images_are_there_before_the_tests_that_need_them(
    pytester: pytest.Pytester,
    publish: Publish,
    docker_registry: DockerRegistry,
    aftermath: Aftermath,
) -> None:
    one, two = publish("one:1"), publish("two:1")
    before = len(asked(docker_registry, one)), len(asked(docker_registry, two))
    pytester.makepyfile(SUITE.format(one=one, two=two))
    result = pytester.runpytest_subprocess("-p", "no:randomly", "--images-durations=0")
    result.assert_outcomes(passed=4)
    after = len(asked(docker_registry, one)), len(asked(docker_registry, two))
    assert after == (before[0] + 1, before[1] + 1)
    result.stdout.fnmatch_lines(
        ["*slowest images*", f"*s pull*{one.rpartition(':')[0]}*", "images: 2 pulled (*"]
    )
    assert aftermath.is_clean()


@pytest.mark.parametrize("policy", ["missing", "newer", "always"])
def test_many_workers_ask_a_registry_once(
    pytester: pytest.Pytester,
    publish: Publish,
    docker_registry: DockerRegistry,
    aftermath: Aftermath,
    policy: str,
) -> None:
    name = publish("app:1")
    before = len(asked(docker_registry, name))
    pytester.makepyfile(
        f"""
        import pytest
        from pytest_images import pulled
        app = pulled({name!r}, policy={policy!r})

        @pytest.mark.image({name!r}, pull={policy!r})
        @pytest.mark.parametrize("n", range(6))
        def test_it(app, marked_images, n): assert marked_images[{name!r}].id == app.id
        """
    )
    result = pytester.runpytest_subprocess("-n", "3")
    result.assert_outcomes(passed=6)
    assert len(asked(docker_registry, name)) == before + 1
    assert aftermath.is_clean()


def test_a_failure_is_told_to_each_worker_once_and_asked_once(
    pytester: pytest.Pytester, docker_registry: DockerRegistry, aftermath: Aftermath
) -> None:
    name = f"{docker_registry}/told-once/missing:1"
    pytester.makepyfile(
        f"""
        import pytest
        from pytest_images import pulled
        app = pulled({name!r})

        @pytest.mark.parametrize("n", range(6))
        def test_it(app, n): pass
        """
    )
    ahead = "--images-no-ahead"  # which would ask before the first test does
    result = pytester.runpytest_subprocess("-n", "3", ahead)
    result.assert_outcomes(errors=6)
    assert len(asked(docker_registry, name)) == 1
    result = pytester.runpytest_subprocess(ahead)  # nothing of it outlives the run
    result.assert_outcomes(errors=6)
    assert len(asked(docker_registry, name)) == 2
    assert aftermath.is_clean()


def test_the_plan_is_shown_and_nothing_runs(
    pytester: pytest.Pytester,
    publish: Publish,
    docker_registry: DockerRegistry,
    aftermath: Aftermath,
) -> None:
    one, two = publish("one:1"), publish("two:1")
    pytester.makepyfile(SUITE.format(one=one, two=two) + "\n    unused = pulled('unused')\n")
    requests = len(docker_registry.access_log("/v2/"))
    result = pytester.runpytest_subprocess("--images-plan", "-n", "2", "-p", "no:randomly")
    assert result.ret == 0
    assert len(docker_registry.access_log("/v2/")) == requests
    assert not aftermath.home.exists()
    result.stdout.fnmatch_lines(
        [
            "images plan: 2 for 3 of 4 tests, 2 to fetch (?), manifest requests: 2 to 4",
            f"  to fetch *?  {one}",
            f"  to fetch *?  {two}",
        ]
    )
    result.stdout.no_fnmatch_line("*unused*")
    pytester.runpytest_subprocess("-k", "test_one").assert_outcomes(passed=1)
    chosen = ("-p", "no:randomly", "-k", "test_one or test_two")
    result = pytester.runpytest_subprocess("--images-plan", *chosen)
    result.stdout.fnmatch_lines(
        [
            "images plan: 2 for 2 of 2 tests, 1 to fetch (?), manifest requests: 2 to 3",
            f"  cached  *kB  {one}",
            f"  to fetch *?  {two}",
        ]
    )


def test_the_plan_tells_needs_apart_as_a_run_does_and_says_nothing_else(
    pytester: pytest.Pytester, publish: Publish
) -> None:
    name = publish("app:1")
    pytester.makepyfile(
        f"""
        import pytest
        from pytest_images import pulled

        app = pulled({name!r})
        same = pulled({name!r}, policy="missing")
        other = pulled({name!r}, platform="linux/riscv64")

        def test_it(app, same): pass
        def test_other(other): pass
        """
    )
    kept = pytester.runpytest_subprocess("-k", "test_it", "--images-keep=always")
    kept.assert_outcomes(passed=1, deselected=1)
    result = pytester.runpytest_subprocess("--images-plan")
    result.stdout.fnmatch_lines(
        [
            "images plan: 2 for 2 of 2 tests, 1 to fetch (?), manifest requests: 1 to 2",
            f"  here    *kB  {name}",
            f"  to fetch  *?  {name} linux/riscv64",
        ]
    )
    result.stdout.no_fnmatch_line("images: *cache*")  # nothing was used


def test_nothing_is_begun_where_no_selected_test_needs_an_image(
    pytester: pytest.Pytester, publish: Publish, aftermath: Aftermath
) -> None:
    pytester.makepyfile(SUITE.format(one=publish("one:1"), two="no.such.test/two:1"))
    pytester.makepyfile(test_other="def test_other(): pass")
    pytester.runpytest_subprocess("-k", "test_other").assert_outcomes(passed=1, deselected=4)
    assert not aftermath.home.exists()


def test_an_error_of_the_background_is_told_by_the_tests_that_need_the_image_alone(
    pytester: pytest.Pytester, docker_registry: DockerRegistry, aftermath: Aftermath
) -> None:
    missing = f"{docker_registry}/background/missing:1"
    pytester.makepyfile(SUITE.format(one=missing, two=missing))
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-k", "not two")
    result.assert_outcomes(passed=1, errors=2, deselected=1)
    assert len(asked(docker_registry, missing)) == 2  # in the background, and by test_one
    result.stdout.fnmatch_lines(["ImageNotFound: *missing:1*", "*wanted by pulled*"])
    assert aftermath.is_clean()


def test_tests_keep_their_order_unless_others_shall_be_first(
    pytester: pytest.Pytester, publish: Publish
) -> None:
    pytester.makepyfile(
        f"""
        from pytest_images import pulled
        one = pulled({publish("one:1")!r})
        def test_a(one): pass
        def test_b(): pass
        def test_c(one): pass
        def test_d(): pass
        """
    )
    arguments = ("-p", "no:randomly", "--collect-only", "-q")
    result = pytester.runpytest(*arguments)
    result.stdout.fnmatch_lines(["*test_a*", "*test_b*", "*test_c*", "*test_d*"])
    result = pytester.runpytest(*arguments, "--images-first=unneeded")
    result.stdout.fnmatch_lines(["*test_b*", "*test_d*", "*test_a*", "*test_c*"])
