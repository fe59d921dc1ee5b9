from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

ONE, TWO = samples.image("one"), samples.image("two")


def test_the_last_name_takes_the_image_with_it(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    done = run("rm", "app:1")
    assert (done.status, done.err) == (0, "")
    first, *others = done.out.splitlines()
    assert first == "Untagged: app:1"
    assert f"Deleted: {ONE.config.id}" in others


def test_a_name_of_several_is_untagged_only(run: Run, store: Store) -> None:
    ONE.put(store, "app:1", "app:2")
    assert run("rm", "app:1") == (0, "Untagged: app:1\n", "")


def test_each_name_is_handled_though_another_failed(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    TWO.put(store, "app:2")
    done = run("rmi", "app:1", "missing", "app:2")
    assert done.status == 1
    assert "Untagged: app:1\n" in done.out
    assert "Untagged: app:2\n" in done.out
    assert done.err.startswith("Error: No such image: missing")
    assert run("ls", "-q").out == ""


def test_what_is_missing_is_no_failure_when_forced(run: Run) -> None:
    done = run("rm", "-f", "missing")
    assert (done.status, done.out) == (0, "")
    assert "No such image: missing" in done.err


def test_an_id_of_several_repositories_must_be_forced(run: Run, store: Store) -> None:
    ONE.put(store, "app:1", "other:1")
    refused = run("rm", ONE.config.id.encoded[:12])
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("Error: conflict: ")
    forced = run("rm", "--force", ONE.config.id.encoded[:12])
    assert forced.status == 0
    assert forced.out.startswith("Untagged: app:1\nUntagged: other:1\n")


def test_a_name_that_cannot_be_read_is_refused(run: Run) -> None:
    done = run("rm", "UPPER CASE")
    assert done.status == 1
    assert done.err.startswith('Error: invalid reference "')


@pytest.mark.parametrize("option", ["--no-prune", "--no-prune=false"])
def test_untagged_parents_may_be_spared_for_there_are_none(
    run: Run, store: Store, option: str
) -> None:
    ONE.put(store, "app:1")
    assert run("rm", option, "app:1").status == 0
