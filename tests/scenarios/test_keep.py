"""What a run made is gone after it, but for what was to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store

if TYPE_CHECKING:
    from pathlib import Path

SUITE = """
    import pytest
    from pytest_images import loaded, tagged
    from pytest_images.testing import samples

    @pytest.fixture(scope="session")
    def archive(tmp_path_factory):
        path = tmp_path_factory.mktemp("archive") / "app.tar"
        path.write_bytes(samples.image("one").archive("app:1"))
        return path

    @pytest.fixture(scope="session")
    def other(tmp_path_factory, images):
        path = tmp_path_factory.mktemp("other") / "other.tar"
        path.write_bytes(samples.image("two").archive("other:1"))
        images.load(path)

    app = loaded(archive)
    suspect = tagged(app, "suspect:1")

    def test_passes(app, other): pass
    def test_fails(suspect, images): assert images.inspect(suspect).image.id is None
"""
ALL = ["app:1", "other:1", "suspect:1"]


def names(home: Path) -> list[str]:
    """The names that everybody sees."""
    with Store.open(home) as store:
        assert store.fsck().clean
        assert list((home / "runs").iterdir()) == []
        return sorted(tag.familiar for image in store.images() for tag in image.tags)


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ((), []),
        (("--images-keep=failed",), ["app:1", "suspect:1"]),
        (("--images-keep=always",), ALL),
    ],
    ids=["never", "failed", "always"],
)
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_the_names_that_stay(
    pytester: pytest.Pytester,
    home: Path,
    keep: tuple[str, ...],
    kept: list[str],
    workers: tuple[str, ...],
) -> None:
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess(*keep, *workers)
    result.assert_outcomes(passed=1, failed=1)
    assert names(home) == kept
    gone = {0: "5 cleaned", 2: "2 cleaned, 2 kept", 3: "3 kept"}  # names and images
    result.stdout.fnmatch_lines([f"images: {gone[len(kept)]}"])
    for name in kept:
        result.stdout.fnmatch_lines([f"images: kept *{name}*"])
    if keep:  # what one run kept is no other run's to clean
        pytester.makepyfile(test_next="def test_it(images): images.ls()")
        pytester.runpytest_subprocess("test_next.py").assert_outcomes(passed=1)
        assert names(home) == kept


def test_a_name_of_the_user_is_moved_only_where_the_run_moved_it(
    pytester: pytest.Pytester, home: Path
) -> None:
    from pytest_images.testing import samples

    with Store.open(home) as store:
        mine = samples.image("mine").put(store, "mine:1")
        samples.image("mine").put(store, "app:1")
    pytester.makepyfile(SUITE)
    pytester.runpytest_subprocess("--images-keep=never")
    with Store.open(home) as store:
        assert [image.id for image in store.images()] == [mine.id]
    pytester.runpytest_subprocess("--images-keep=always")
    assert names(home) == sorted([*ALL, "mine:1"])
    with Store.open(home) as store:
        [left] = [image for image in store.images() if image.id == mine.id]
        assert [tag.familiar for tag in left.tags] == ["mine:1"]


@pytest.mark.parametrize("tags", ["app:1", ""], ids=["name", "no name"])
def test_what_another_worker_built_is_kept_for_the_test_that_fails(
    pytester: pytest.Pytester, home: Path, tags: str
) -> None:
    pytester.makepyfile(
        f"""
        from pytest_images import built

        app = built(
            {{"a": b"1"}}, dockerfile_text="FROM scratch\\nCOPY a /", tags={tags.split()!r}
        )

        def test_it(app, request):
            session = request.config.pluginmanager.get_plugin("images-session")
            assert "build" in [deed.verb for deed in session._report.journal.deeds]
        """
    )
    result = pytester.runpytest_subprocess(
        *("-n", "2", "--dist=each", "--images-keep=failed", "--junit-xml=junit.xml")
    )
    result.assert_outcomes(passed=1, failed=1)
    assert (pytester.path / "junit.xml").read_text().count('<property name="image"') == 2
    # Both show how the image came, though one of them did not make it.
    result.stdout.re_match_lines([r"-+ images: build (app:1 |.*library/app:1 )?\(.* s\) -+"])
    assert "COPY a /" in result.stdout.str()
    result.stdout.fnmatch_lines(["images: 1 built, *1 kept*"])
    assert names(home) == tags.split()
    with Store.open(home) as store:
        assert len(store.images()) == 1


def test_an_image_without_a_name_is_kept_by_its_id(pytester: pytest.Pytester, home: Path) -> None:
    pytester.makepyfile(
        """
        from pytest_images import built
        app = built({"a": b"1"}, dockerfile_text="FROM scratch\\nCOPY a /")
        def test_it(app): pass
        """
    )
    pytester.runpytest_subprocess("--images-keep=always").assert_outcomes(passed=1)
    with Store.open(home) as store:
        assert len(store.images()) == 1
        assert store.fsck().clean
