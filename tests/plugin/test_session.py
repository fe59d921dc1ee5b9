"""A session from the first use to the end, as its user sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store

if TYPE_CHECKING:
    from pathlib import Path

LOADS = """
    from io import BytesIO
    from pytest_images.testing import samples

    def test_loads(images):
        images.load(BytesIO(samples.image("one").archive("app:1")))
        assert images.exists("app:1")
"""


def test_a_session_that_uses_no_images_touches_no_store(
    pytester: pytest.Pytester, home: Path
) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest()
    assert not home.exists()
    result.stdout.no_fnmatch_line("images: engine*")


def test_collecting_touches_no_store(pytester: pytest.Pytester, home: Path) -> None:
    pytester.makepyfile(
        "import pytest\nfrom pytest_images import pulled\nalpine = pulled('no.such.test/alpine')\n"
        "@pytest.mark.image('no.such.test/alpine')\ndef test_it(images, alpine): pass"
    )
    result = pytester.runpytest("--collect-only")
    assert result.ret == 0
    assert not home.exists()


def test_asking_for_the_door_alone_opens_no_store(pytester: pytest.Pytester, home: Path) -> None:
    pytester.makepyfile("def test_it(images): images.without(__file__)")
    pytester.runpytest().assert_outcomes(passed=1)
    assert not home.exists()


def test_what_a_run_made_is_gone_after_it(pytester: pytest.Pytester, home: Path) -> None:
    pytester.makepyfile(LOADS)
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["images: engine embedded, run *", "images: * cleaned"])
    with Store.open(home) as store:
        assert store.images() == ()
        assert store.fsck().clean
    assert list((home / "runs").iterdir()) == []


def test_names_of_the_user_stay_and_can_be_seen(pytester: pytest.Pytester, home: Path) -> None:
    from pytest_images.testing import samples

    with Store.open(home) as store:
        samples.image("mine").put(store, "mine:1")
    pytester.makepyfile("def test_it(images): assert images.exists('mine:1')")
    pytester.runpytest().assert_outcomes(passed=1)
    with Store.open(home) as store:
        assert [str(tag.familiar) for image in store.images() for tag in image.tags] == ["mine:1"]


def test_a_run_inside_a_run_does_not_end_the_outer(pytester: pytest.Pytester, home: Path) -> None:
    inner = pytester.makepyfile(test_inner=LOADS)
    pytester.makeconftest("pytest_plugins = ['pytester']")
    pytester.makepyfile(
        test_outer=LOADS
        + f"""
    def test_nested(images, pytester):
        images.tag("app:1", "app:outer")
        pytester.runpytest_inprocess({str(inner)!r}).assert_outcomes(passed=1)
        pytester.runpytest_subprocess({str(inner)!r}).assert_outcomes(passed=1)
        assert images.exists("app:outer")
    """
    )
    pytester.runpytest("-p", "no:randomly", "test_outer.py").assert_outcomes(passed=2)
    assert list((home / "runs").iterdir()) == []


def test_a_scope_ends_with_its_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        LOADS
        + """
    def test_tags(image_scope):
        image_scope.tag("app:1", "scoped:1")

    def test_is_gone(images):
        assert images.exists("app:1") and not images.exists("scoped:1")
    """
    )
    pytester.runpytest("-p", "no:randomly").assert_outcomes(passed=3)


def test_a_namespace_is_a_tests_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        LOADS
        + """
    import pytest

    @pytest.mark.parametrize("n", [1, 2])
    def test_pushes(images, image_registry, image_registry_session, n):
        assert image_registry_session.repositories() == ()
        images.tag("app:1", image_registry.reference("app:1"))
        images.push(image_registry.reference("app:1"))
        assert image_registry.tags("app") == ("1",)
    """
    )
    pytester.runpytest("-p", "no:randomly").assert_outcomes(passed=3)


def test_the_summary_says_what_was_done(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        LOADS
        + """
    def test_round(images, image_registry):
        name = image_registry.reference("app:1")
        images.tag("app:1", name)
        images.push(name)
        images.rm("app:1", force=True)
        images.pull(name)
        images.get(name)
    """
    )
    result = pytester.runpytest("-p", "no:randomly")
    result.stdout.fnmatch_lines(["images: 1 from cache, 1 pushed, * cleaned"])


def test_quiet_runs_say_nothing_before_the_summary(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(LOADS)
    result = pytester.runpytest("-q")
    result.stdout.no_fnmatch_line("images: engine*")


@pytest.mark.parametrize("stop", ["-x", "--maxfail=1"])
def test_a_run_that_stops_at_a_failure_is_cleaned(
    pytester: pytest.Pytester, home: Path, stop: str
) -> None:
    pytester.makepyfile(LOADS + "\n    def test_fails(images): assert not images.exists('app:1')\n")
    result = pytester.runpytest(stop, "-p", "no:randomly")
    result.assert_outcomes(passed=1, failed=1)
    assert list((home / "runs").iterdir()) == []


def test_a_store_that_cannot_be_cleaned_is_told_in_the_summary(
    pytester: pytest.Pytester, home: Path
) -> None:
    pytester.makepyfile(
        LOADS
        + f"""
    def test_damages():
        import pathlib, shutil
        shutil.rmtree({str(home)!r})
        pathlib.Path({str(home)!r}).write_text("not a folder")
    """
    )
    result = pytester.runpytest("-p", "no:randomly")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["images: not cleaned: *"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_another_fixture_named_images_is_not_ours(pytester: pytest.Pytester, home: Path) -> None:
    pytester.makepyfile(
        "import pytest\n@pytest.fixture\ndef images(): return ['a.png']\n"
        "def test_it(images): assert images == ['a.png']"
    )
    result = pytester.runpytest()
    result.stdout.no_fnmatch_line("images: engine*")
    assert not home.exists()


def test_without_the_plugin_nothing_of_it_is_there(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(images): pass")
    result = pytester.runpytest("-p", "no:images")
    result.stdout.fnmatch_lines(["*fixture 'images' not found*"])
