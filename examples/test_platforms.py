"""One name stands for several platforms; a pull takes one."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images import PlatformNotFound
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images import Images, Reference
    from pytest_images.server.namespace import Namespace

PLATFORMS = ("linux/amd64", "linux/arm64")


@pytest.fixture
def service(images: Images, image_registry: Namespace) -> Reference:
    """An image for two platforms, published under one name."""
    index = samples.index(*(samples.image(name, platform=name) for name in PLATFORMS))
    name = image_registry.reference("service:1")
    images.load(BytesIO(index.archive(str(name))), platforms=PLATFORMS)
    images.push(name, whole_index=True)
    return name


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_is_there(images: Images, service: Reference, platform: str) -> None:
    assert images.pull(service, platform=platform).platform.architecture in platform


def test_a_platform_nobody_made_is_refused(images: Images, service: Reference) -> None:
    with pytest.raises(PlatformNotFound, match="linux/s390x"):
        images.pull(service, platform="linux/s390x")
