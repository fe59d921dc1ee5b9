"""What a run tells of images: in the terminal, in failures, in JUnit XML and as JSON."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.host import Host
from pytest_images.server.registry import Registry
from pytest_images.testing import samples
from tests.scenarios.test_keep import SUITE

if TYPE_CHECKING:
    from pathlib import Path

BUILDS = """
    import pytest
    from pytest_images import built

    app = built({"a": b"1"}, dockerfile_text="FROM scratch\\nCOPY a /", tags="app:1")

    @pytest.mark.parametrize("n", range(2))
    def test_fails(app, n): assert not app
    def test_passes(): pass
"""

AHEAD = """
    from pytest_images import pulled

    here, other = pulled({!r}), pulled({!r})

    def test_fails(here, request):
        # While this runs, the plan's threads fetch what the other needs.
        ahead = request.config.pluginmanager.get_plugin("images-ahead")
        for thread in ahead._background._threads:
            thread.join(30)
        assert not here

    def test_other(other): pass
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_run_writes_a_report_as_json(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess("--images-report=out/images.json", *workers)
    result.assert_outcomes(passed=1, failed=1)
    path: Path = pytester.path / "out" / "images.json"
    report: dict[str, Any] = json.loads(path.read_text())
    assert (report["version"], report["engine"], report["trouble"]) == (1, "embedded", "")
    assert report["summary"]["kept"] == []
    loads = [deed for deed in report["operations"] if deed["verb"] == "load"]
    assert {name for deed in loads for name in deed["names"]} == {
        "docker.io/library/app:1",
        "docker.io/library/other:1",
    }
    assert all("::fixture " in deed["owner"] and not deed["error"] for deed in loads)
    assert [item.name for item in path.parent.iterdir()] == ["images.json"]


def test_a_report_that_cannot_be_written_fails_no_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    (pytester.path / "file").touch()
    result = pytester.runpytest("--images-report=file/images.json")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["images: no report: *"])


def test_the_slowest_pulls_and_builds_are_shown(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BUILDS)
    result = pytester.runpytest("--images-durations=1")
    result.stdout.fnmatch_lines(
        ["*= slowest images =*", "[0-9]*s build *app:1*", "images: 1 built, *s in pulls and builds"]
    )


@pytest.mark.parametrize("workers", [(), ("-n", "2", "--dist=each")], ids=["alone", "workers"])
def test_a_failed_test_shows_how_its_images_came(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    pytester.makepyfile(BUILDS)
    result = pytester.runpytest_subprocess(*workers)
    out = result.stdout.str()
    count = 4 if workers else 2
    assert result.parseoutcomes() == {"failed": count, "passed": count // 2}
    # Of the workers one has built it; the tests of all show that.
    assert out.count("- images: build docker.io/library/app:1 (") == count
    result.stdout.re_match_lines([r"#\d+ \[\d/\d\] COPY a /"])


def test_what_is_fetched_ahead_is_told_of_the_tests_that_need_it_alone(
    pytester: pytest.Pytester,
) -> None:
    with Registry.serving() as registry:
        names = [str(registry.namespace().reference(f"{one}:1")) for one in ("here", "other")]
        with Host(home=pytester.path / "publisher", load_entry_points=False) as host:
            for name in names:
                host.images.load(BytesIO(samples.image(name).archive(name)))
                host.images.push(name)
        pytester.makepyfile(AHEAD.format(*names))
        result = pytester.runpytest_subprocess("--junit-xml=junit.xml")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.no_fnmatch_line("*images: pull*other:1*")
    cases = (pytester.path / "junit.xml").read_text().split("<testcase ")[1:]
    assert [[name in case for name in names] for case in cases] == [[True, False], [False, True]]


def test_the_images_of_a_test_are_properties_in_junit_xml(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BUILDS)
    pytester.runpytest("--junit-xml=junit.xml", "-p", "no:randomly")
    text = (pytester.path / "junit.xml").read_text()
    assert text.count('<property name="image" value="docker.io/library/app:1"') == 2
    assert text.index("test_passes") > text.rindex("<property ")


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inner runs are nobody's CI."""
    monkeypatch.delenv("CI", raising=False)


LACKS = """
    import pytest
    from pytest_images import hookimpl, Unsupported

    class Lacks:
        @hookimpl
        def image_ls(self, images): raise Unsupported("ls", "no sandbox; tried: runc, crun")

    @pytest.fixture(scope="session")
    def listed(images):
        with images.answering(Lacks()):
            return images.ls()

    def test_in_a_fixture(listed): pass
    def test_again(listed): pass
    def test_in_a_test(images):
        with images.answering(Lacks()): images.ls()
    def test_other(images): images.inspect("missing")
"""


@pytest.mark.usefixtures("lenient")
def test_what_is_lacking_skips_with_what_was_tried(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(LACKS)
    result = pytester.runpytest("-rs")
    result.assert_outcomes(skipped=3, failed=1)
    result.stdout.fnmatch_lines(["SKIPPED *test_what_is*.py:*: images: ls*tried: runc, crun*"])


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize(
    ("environment", "arguments", "skipped"),
    [
        ({"CI": "true"}, (), 0),
        ({"CI": "woodpecker"}, (), 0),
        ({"CI": "false"}, (), 3),
        ({"CI": "true"}, ("--images-no-require",), 3),
        ({"CI": "true", "PYTEST_IMAGES_REQUIRE": "no"}, (), 3),
        ({"PYTEST_IMAGES_REQUIRE": "no"}, ("--images-require",), 0),
    ],
)
def test_what_is_required_fails(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    arguments: tuple[str, ...],
    skipped: int,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    pytester.makepyfile(LACKS)
    result = pytester.runpytest(*arguments)
    if skipped:
        result.assert_outcomes(skipped=3, failed=1)
    else:
        result.assert_outcomes(errors=2, failed=2)
        result.stdout.fnmatch_lines(
            ["*tried: runc, crun*", "*not skipped, for images_require is on*"]
        )


@pytest.mark.usefixtures("lenient")
def test_the_ini_file_can_say_what_is_required(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nimages_require = yes")
    pytester.makepyfile(LACKS)
    pytester.runpytest().assert_outcomes(errors=2, failed=2)


@pytest.mark.usefixtures("lenient")
def test_an_engine_that_is_not_installed_skips(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(images): images.ls()")
    result = pytester.runpytest("-rs", "--images-engine=moby")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(['SKIPPED *"moby"*no engine of that name*embedded*'])
