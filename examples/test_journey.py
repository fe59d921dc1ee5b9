"""An image goes out into a registry and comes back the same."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images import ImageNotFound
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images import Images
    from pytest_images.server.namespace import Namespace


def test_an_image_comes_back_by_tag_and_by_digest(
    images: Images, image_registry: Namespace
) -> None:
    [loaded] = images.load(BytesIO(samples.image("traveller").archive("traveller:1")))
    name = image_registry.reference("traveller:1")

    images.tag(loaded.image, name)
    [pushed] = images.push(name)
    images.rm(name)

    assert images.pull(name).id == loaded.image.id
    assert (
        images.pull(name.with_tag(None).with_digest(pushed.descriptor.digest)).id == loaded.image.id
    )


def test_a_registry_knows_what_it_has(images: Images, image_registry: Namespace) -> None:
    [loaded] = images.load(BytesIO(samples.image("listed").archive("listed:1")))
    for tag in ("1.0", "1.1"):
        images.tag(loaded.image, image_registry.reference(f"listed:{tag}"))
        images.push(image_registry.reference(f"listed:{tag}"))

    assert image_registry.tags("listed") == ("1.0", "1.1")


def test_a_name_that_is_not_there_says_so(images: Images, image_registry: Namespace) -> None:
    with pytest.raises(ImageNotFound, match="no-such-app"):
        images.pull(image_registry.reference("no-such-app:1"))
