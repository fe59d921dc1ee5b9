"""Images as fixtures: made ready before the test, shared by all that ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_images import Image, Images, Reference


@pytest.fixture
def fresh(image_scope: Images, app: Reference) -> Image:
    """The newest published image; the registry is asked, the layers are here already."""
    return image_scope.get(app, policy="newer")


def test_a_fixture_of_an_image(fresh: Image, app: Reference) -> None:
    assert fresh.reference == app
