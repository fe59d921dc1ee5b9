"""The factory that builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = """
    from pytest_images import hookimpl

    @hookimpl(wrapper=True)
    def image_build(request):
        with open("builds", "a") as stream:
            stream.write("x")
        return (yield)
"""


@pytest.fixture
def web(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite with a context in a folder of its own; each build adds a letter to a file."""
    pytester.makeconftest(COUNTS)
    folder = pytester.mkdir("web")
    (folder / "Dockerfile").write_text("FROM scratch AS first\nCOPY page /\nFROM scratch\n")
    (folder / "page").write_text("hi")
    return pytester


def test_a_factory_builds_an_image_of_a_folder_beside_it(web: pytest.Pytester) -> None:
    suite = web.mkdir("suite")
    (web.path / "web").rename(suite / "web")
    (suite / "test_it.py").write_text(
        "from pytest_images import built\n"
        "app = built('web', target='first', tags='app:1')\n"
        "def test_it(app, images):\n"
        "    assert app.reference.familiar == 'app:1'\n"
        "    assert (images.files('app:1') / 'page').read_text() == 'hi'\n"
        "def test_again(app): pass\n"
    )
    web.runpytest("-p", "no:randomly").assert_outcomes(passed=2)
    assert (web.path / "builds").read_text() == "x"


def test_many_workers_build_an_image_once(web: pytest.Pytester, home: Path) -> None:
    web.makepyfile(
        "import pytest\n"
        "from pytest_images import built\n"
        "app = built({'a': b'1'}, dockerfile_text='FROM scratch\\nCOPY a /\\n', no_cache=True)\n"
        "@pytest.mark.parametrize('n', range(6))\n"
        "def test_it(app, images, n):\n"
        "    assert (images.files(app) / 'a').read_text() == '1'\n"
    )
    web.runpytest_subprocess("-n", "4", "--dist=each").assert_outcomes(passed=24)
    assert (web.path / "builds").read_text() == "x"
    assert list((home / "runs").iterdir()) == []


def test_a_build_that_fails_does_so_once_and_every_test_has_its_error(
    web: pytest.Pytester,
) -> None:
    (web.path / "web/Dockerfile").write_text("FROM scratch\nCOPY missing /\n")
    web.makepyfile(
        "import pytest\n"
        "from pytest_images import built\n"
        "app = built('web')\n"
        "@pytest.mark.parametrize('n', range(2))\n"
        "def test_it(app, n): pass\n"
    )
    result = web.runpytest_subprocess("-n", "2", "--dist=each")
    result.assert_outcomes(errors=4)
    assert (web.path / "builds").read_text() == "x"
    out = result.stdout.str()
    assert out.count("InvalidDockerfile: Dockerfile:2: ") >= 4
    assert out.count(">>> COPY missing /") == 4
    result.stdout.fnmatch_lines(["wanted by built('web') in *.py, line 3"])


def test_the_log_of_a_failed_build_is_in_the_report_of_every_test(web: pytest.Pytester) -> None:
    web.makeconftest(
        """
        import pytest
        from pytest_images import BuildError, hookimpl

        @hookimpl(tryfirst=True)
        def image_build(request):
            raise BuildError("Dockerfile", 2, "RUN make", 2, log="#1 make: no rule")
        """
    )
    web.makepyfile(
        "from pytest_images import built\n"
        "app = built('web')\n"
        "def test_one(app): pass\n"
        "def test_two(app): pass\n"
        "def test_three(images): images.build('web')\n"
    )
    result = web.runpytest("-p", "no:randomly")
    result.assert_outcomes(errors=2, failed=1)
    lines = result.stdout.lines
    assert len([line for line in lines if "Log of the image's build" in line]) == 3
    assert lines.count("#1 make: no rule") == 3


def test_an_image_is_built_on_that_of_another_factory_and_for_each_param(
    web: pytest.Pytester,
) -> None:
    web.makepyfile(
        "from pytest_images import built\n"
        "base = built('web', target='first')\n"
        "TEXT = 'FROM base\\nARG V\\nLABEL v=$V\\n'\n"
        "app = built({}, dockerfile_text=TEXT, contexts={'base': base},\n"
        "            params=[{'args': {'V': '1'}}, {'args': {'V': '2'}}])\n"
        "def test_it(app, images, request):\n"
        "    assert (images.files(app) / 'page').read_text() == 'hi'\n"
        "    assert app.labels['v'] in request.node.name\n"
    )
    web.runpytest().assert_outcomes(passed=2)
    assert (web.path / "builds").read_text() == "xxx"
