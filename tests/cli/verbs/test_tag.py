from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.model.selector import Selector
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

ONE = samples.image("one")


@pytest.mark.parametrize("source", ["app:1", ONE.config.id.encoded[:6], str(ONE.config.id)])
def test_a_tag_is_given_silently(run: Run, store: Store, source: str) -> None:
    ONE.put(store, "app:1")
    assert run("tag", source, "other") == (0, "", "")
    assert store.image(Selector.parse("other:latest")).id == ONE.config.id


def test_a_missing_source_is_refused(run: Run) -> None:
    done = run("tag", "missing", "other")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: No such image: missing")


@pytest.mark.parametrize(
    ("target", "reason"),
    [("BAD", "must be lowercase"), ("", "invalid reference format"), ("a:b:c", "invalid")],
)
def test_a_target_that_is_no_name_is_refused(
    run: Run, store: Store, target: str, reason: str
) -> None:
    ONE.put(store, "app:1")
    done = run("tag", "app:1", target)
    assert done.status == 1
    assert reason in done.err


def test_a_target_with_a_digest_is_refused(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    done = run("tag", "app:1", f"other@{ONE.manifest.digest}")
    assert done.status == 1
    assert "digest" in done.err


def test_both_names_are_needed(run: Run) -> None:
    done = run("tag", "app:1")
    assert done.status == 1
    assert "'pytest-images tag' requires 2 arguments" in done.err
