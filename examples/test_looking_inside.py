"""What an image is, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_images import Images, Reference


def test_our_image_has_its_label(images: Images, app: Reference) -> None:
    assert images.inspect(app).config.labels["org.opencontainers.image.title"] == "app"


def test_our_image_starts_a_shell(images: Images, app: Reference) -> None:
    assert images.inspect(app).config.document["config"]["Cmd"] == ["/bin/sh"]


def test_our_image_holds_its_data(images: Images, app: Reference) -> None:
    data = images.files(app) / "data"
    file, link = next(data.glob("*.hard")), next(data.glob("*.link"))
    assert file.stat().filemode == "-rw-r--r--"
    assert link.readlink() == f"/data/{link.stem}"
    assert link.read_bytes() == (data / link.stem).read_bytes()


def test_no_secret_is_left_in_any_layer(images: Images, app: Reference) -> None:
    files = images.files(app)
    assert files.in_layers("root/.npmrc") == ()
    assert [change for _, change in files.in_layers("data")] == ["directory", "directory"]


def test_our_image_has_two_layers(images: Images, app: Reference) -> None:
    assert len(images.inspect(app).manifest.layers) == 2
