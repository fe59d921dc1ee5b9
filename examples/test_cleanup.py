"""What a test makes through `image_scope` goes with the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_images import Images, Reference


def test_a_tag_of_this_test(image_scope: Images, app: Reference) -> None:
    image_scope.tag(app, "only-here:1")
    assert image_scope.exists("only-here:1")


def test_is_not_there_for_the_next(images: Images) -> None:
    assert not images.exists("only-here:1")
