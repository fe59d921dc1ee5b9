from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from pytest_images.cli.units import human_size
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

ONE, NAMED = samples.image("one"), samples.image("named")
SIZE = human_size(sum(map(len, ONE.blobs.values())))
TOLD = (
    "Deleted Images:\n"
    f"deleted: {ONE.config.id}\n"
    f"deleted: {ONE.config.diff_ids[0]}\n"
    "\n"
    f"Total reclaimed space: {SIZE}\n"
)
QUESTION = "\nAre you sure you want to continue? [y/N] "
DANGLING = "WARNING! This will remove all dangling images." + QUESTION
ALL = (
    "WARNING! This will remove all images without at least one container associated to them."
    + QUESTION
)


def test_what_went_is_told_as_docker_tells_it(run: Run, store: Store) -> None:
    ONE.put(store)
    NAMED.put(store, "app:1")
    assert run("prune", "-f") == (0, TOLD, "")
    assert run("ls", "-q").out.splitlines() == [NAMED.config.id.encoded[:12]]
    assert run("image", "prune", "--force") == (0, "Total reclaimed space: 0B\n", "")


def test_names_are_told_too(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    out = run("prune", "-af").out
    assert out == TOLD.replace("Images:\n", "Images:\nuntagged: app:1\n")


@pytest.mark.parametrize("option", ["--all=false", "--all"])
@pytest.mark.parametrize("answer", ["", "\n", "n\n", "N\n", "yes\n", "no\n", " y\n", "q", "yy"])
def test_all_but_a_yes_is_a_no(
    run: Run,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    answer: str,
) -> None:
    ONE.put(store)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert run("prune", option) == (0, ALL if option == "--all" else DANGLING, "")
    assert run("ls", "-q").out


@pytest.mark.parametrize("answer", ["y\n", "Y\n", "y", "y\r\n"])
def test_a_yes_goes_on(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    ONE.put(store)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert run("prune") == (0, DANGLING + TOLD, "")


def test_without_standard_input_the_answer_is_no(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert run("prune") == (0, DANGLING, "")


def test_filters_narrow_what_goes(run: Run, store: Store) -> None:
    labelled = samples.image("labelled", labels={"keep": "yes"})
    ONE.put(store)
    labelled.put(store)
    assert run("prune", "-f", "--filter", "label!=keep=yes").out == TOLD
    assert run("prune", "-f", "--filter", "label!=keep").out == "Total reclaimed space: 0B\n"
    assert run("prune", "-f", "--filter", "label=keep").out.startswith("Deleted Images:\n")


def test_an_unknown_filter_is_refused_and_names_those_there_are(run: Run) -> None:
    done = run("prune", "-f", "--filter", "foo=bar")
    assert (done.status, done.out) == (1, "")
    assert "invalid filter 'foo'" in done.err
    assert "label, label!, until" in done.err


def test_a_filter_without_a_value_is_a_wrong_command_line(run: Run) -> None:
    done = run("prune", "-f", "--filter", "foo")
    assert (done.status, done.out) == (125, "")
    assert done.err.startswith('invalid argument "foo" for "--filter" flag: bad format of filter')


def test_arguments_are_refused(run: Run) -> None:
    done = run("prune", "app:1")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("pytest-images: 'pytest-images prune' accepts no arguments")
