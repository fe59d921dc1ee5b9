"""What an image is, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_images import Images, Reference


def test_our_image_has_its_label(images: Images, app: Reference) -> None:
    assert images.inspect(app).config.labels["org.opencontainers.image.title"] == "app"


def test_our_image_starts_a_shell(images: Images, app: Reference) -> None:
    assert images.inspect(app).config.document["config"]["Cmd"] == ["/bin/sh"]


def test_our_image_has_two_layers(images: Images, app: Reference) -> None:
    assert len(images.inspect(app).manifest.layers) == 2
