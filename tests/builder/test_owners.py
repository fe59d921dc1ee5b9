"""``--chown`` where there is no image to ask: numbers, and nothing else."""

from __future__ import annotations

import pytest

from pytest_images.builder.modes import Owner, owner_of, user_of
from pytest_images.dockerfile.malformed import Malformed


@pytest.mark.parametrize(
    ("spec", "owner"), [("1", Owner(1, 1)), ("1:2", Owner(1, 2)), ("1:", Owner(1, 1))]
)
def test_numbers_need_no_image(spec: str, owner: Owner) -> None:
    assert owner_of(spec, None) == owner


@pytest.mark.parametrize("spec", ["app", "1:app", "app:1", ":5", "1:2:3", "²", "99999999999"])
def test_what_is_no_number_is_refused(spec: str) -> None:
    with pytest.raises(Malformed):
        owner_of(spec, None)


def test_a_working_directory_without_an_image_is_roots() -> None:
    assert user_of("app", None) == Owner(0, 0)
