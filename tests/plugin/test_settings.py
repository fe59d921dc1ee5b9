from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    pass

SHOWS = "def test_it(images, pytestconfig):\n    assert {}"


def test_an_option_wins_over_the_environment_and_that_over_the_ini_file(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\nimages_engine = from-ini\nimages_platform = linux/s390x")
    monkeypatch.setenv("PYTEST_IMAGES_ENGINE", "from-environment")
    monkeypatch.setenv("PYTEST_IMAGES_PLATFORM", "linux/arm64")
    pytester.makepyfile("def test_it(images): images.ls()")
    result = pytester.runpytest("--images-engine=from-option")
    result.stdout.fnmatch_lines(
        ["images: home *, engine from-option, platform linux/arm64", '*"from-option"*no engine*']
    )


def test_an_ini_file_is_enough(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_IMAGES_HOME")
    pytester.makeini("[pytest]\nimages_offline = yes\nimages_home = here\nimages_durability = fast")
    pytester.makepyfile(
        "import pathlib\n"
        "def test_it(images):\n"
        "    images.ls()\n"
        "    assert pathlib.Path('here/format').exists()\n"
        "    assert images.endpoints('alpine') == ()\n"
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"images: home {pytester.path}/here, durability fast, offline"])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("images_durability = careless", "images_durability is safe or fast, not 'careless'"),
        ("images_offline = perhaps", "images_offline is yes or no, not 'perhaps'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_at_once(
    pytester: pytest.Pytester, line: str, words: str
) -> None:
    pytester.makeini(f"[pytest]\n{line}")
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {words}"])


def test_a_platform_that_is_none_is_told_at_the_first_use(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(images): pass")
    result = pytester.runpytest("--images-platform=a/b/c/d")
    result.stdout.fnmatch_lines(["E*InvalidPlatform*a/b/c/d*"])


def test_offline_says_so_where_it_refuses(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(images): images.pull('no.such.test/app')")
    result = pytester.runpytest("--images-offline")
    result.stdout.fnmatch_lines(["E*Unreachable*no.such.test/app*", "E*images_offline is set*"])


def test_the_options_are_in_the_help(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--help")
    result.stdout.fnmatch_lines(["*--images-home=HOME*", "*--images-offline*", "*images_engine*"])
