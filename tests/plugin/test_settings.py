from __future__ import annotations

from pathlib import Path

import pytest

from pytest_images.plugin.settings import SETTINGS, option_of, table

SHOWS = "def test_it(images, pytestconfig):\n    assert {}"


def test_an_option_wins_over_the_environment_and_that_over_the_ini_file(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\nimages_engine = from-ini\nimages_platform = linux/s390x")
    monkeypatch.setenv("PYTEST_IMAGES_ENGINE", "from-environment")
    monkeypatch.setenv("PYTEST_IMAGES_PLATFORM", "linux/arm64")
    pytester.makepyfile("def test_it(images): images.ls()")
    result = pytester.runpytest("--images-engine=from-option", "-rs")
    result.stdout.fnmatch_lines(
        [
            "images: home *, engine from-option, platform linux/arm64",
            'SKIPPED*"from-option"*no engine*',
        ]
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
        ("images_pull = often", "images_pull is missing, newer, always or never, not 'often'"),
        ("images_lock = yes", "images_lock is use, update, verify or off, not 'yes'"),
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
    result.stdout.fnmatch_lines(["InvalidPlatform: *a/b/c/d*"])


def test_offline_says_so_where_it_refuses(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(images): images.pull('no.such.test/app')")
    result = pytester.runpytest("--images-offline")
    result.stdout.fnmatch_lines(
        ["E*MissingOffline*no.such.test/app*", "E*fetch it*pull no.such.test/app:latest"]
    )


def test_the_options_are_in_the_help(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--help")
    result.stdout.fnmatch_lines(["*--images-home=HOME*", "*--images-offline*", "*images_engine*"])


@pytest.mark.parametrize("mode", ["update", "verify"])
def test_a_lock_that_asks_is_refused_offline(pytester: pytest.Pytester, mode: str) -> None:
    result = pytester.runpytest("--images-offline", f"--images-lock={mode}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: images_lock = {mode} asks registries: not offline"])


def test_mirrors_are_those_of_the_option_else_the_environment_else_the_ini_file(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\nimages_mirrors =\n  docker.io = ini.test/a\n  ghcr.io = ini.test\n")
    pytester.makepyfile(
        "import os\n"
        "def test_it(images):\n"
        "    names = ('alpine', 'ghcr.io/a/b', 'quay.io/a/b')\n"
        "    hosts = [images.endpoints(name)[0].host for name in names]\n"
        "    assert hosts == os.environ['WANTED'].split()\n"
    )
    monkeypatch.setenv("WANTED", "ini.test ini.test quay.io")
    pytester.runpytest().assert_outcomes(passed=1)
    monkeypatch.setenv("PYTEST_IMAGES_MIRRORS", "docker.io=env.test, quay.io = env.test/x only")
    monkeypatch.setenv("WANTED", "env.test ghcr.io env.test")
    pytester.runpytest().assert_outcomes(passed=1)
    monkeypatch.setenv("WANTED", "option.test option.test quay.io")
    options = ["docker.io = option.test", "ghcr.io=option.test digest-only"]
    result = pytester.runpytest(*(f"--images-mirror={each}" for each in options))
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"images: home *, mirrors {'; '.join(options)}"])


def test_a_password_in_a_mirror_is_not_shown(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--images-mirror=docker.io = https://ada:hunter2@mirror.test")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: images_mirrors takes no passwords: use docker login"])
    assert "hunter2" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize("setting", ["option", "ini", "environment"])
def test_the_pull_policy_counts_where_no_other_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    if setting == "ini":
        pytester.makeini("[pytest]\nimages_pull = never")
    if setting == "environment":
        monkeypatch.setenv("PYTEST_IMAGES_PULL", "never")
    pytester.makepyfile(
        """
        import pytest
        from pytest_images import ImageNotFound, Unreachable, pulled

        ours, theirs = pulled("no.such.test/a"), pulled("no.such.test/a", policy="missing")

        def test_get(images):
            with pytest.raises(ImageNotFound):
                images.get("no.such.test/a")
            with pytest.raises(Unreachable):
                images.get("no.such.test/a", "missing")

        def test_factory(ours): ...
        def test_factory_that_names_one(theirs): ...
        @pytest.mark.image("no.such.test/a")
        def test_marker(): ...
        """
    )
    option = ["--images-pull=never"] if setting == "option" else []
    # Nothing is dialled: where a pull is tried, offline says so.
    result = pytester.runpytest("-p", "no:randomly", "--images-offline", *option)
    result.assert_outcomes(passed=1, errors=3)
    shown = [line for line in result.outlines if line.startswith(("E  ", "ImageNot", "MissingO"))]
    kinds = [word for line in shown for word in ("ImageNotFound", "MissingOffline") if word in line]
    assert kinds == ["ImageNotFound", "MissingOffline", "ImageNotFound"]


def test_the_page_of_settings_is_that_of_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "options.md"
    begin, end = "of pytest_images.plugin.settings -->\n", "<!-- the end of the table -->"
    shown = page.read_text().partition(begin)[2].partition(end)[0]
    assert shown == table(), f"render it again:\n{table()}"


def test_every_setting_is_an_option_and_an_ini_key(pytester: pytest.Pytester) -> None:
    out = pytester.runpytest("--help").stdout.str()
    for setting in SETTINGS:
        assert f"\n  {option_of(setting)}" in out
        assert f"images_{setting.name} (" in out


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [((), True), (("--images-no-offline",), False), (("--images-offline",), True)],
)
def test_a_flag_of_the_ini_file_can_be_taken_back(
    pytester: pytest.Pytester, arguments: tuple[str, ...], shown: bool
) -> None:
    pytester.makeini("[pytest]\nimages_offline = yes")
    pytester.makepyfile("def test_it(): pass")
    out = pytester.runpytest(*arguments).stdout.str()
    assert (", offline" in out) is shown
