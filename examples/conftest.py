"""What the whole suite shares: one image, published on the suite's own registry."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images import Images, Reference
    from pytest_images.server.registry import Registry


@pytest.fixture(scope="session")
def app(images: Images, image_registry_session: Registry) -> Reference:
    """Our application's image, as a release would publish it."""
    archive = samples.image("app", layers=2, labels={"org.opencontainers.image.title": "app"})
    [loaded] = images.load(BytesIO(archive.archive("app:1.0")))
    name = image_registry_session.namespace("team").reference("app:1.0")
    images.tag(loaded.image, name)
    images.push(name)
    return name
