"""Images are built: from a folder beside the tests, from a few lines, with commands run in them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images import built

if TYPE_CHECKING:
    from pytest_images import Image, Images
    from pytest_images.server.namespace import Namespace

web = built("web", args={"VERSION": "1.2"}, tags="web:1.2")  # once a run, for all workers


def test_the_image_is_what_its_dockerfile_says(images: Images, web: Image) -> None:
    assert web.labels["version"] == "1.2"
    assert images.config(web).settings.command == ("/bin/serve", "/srv")
    assert (images.files(web) / "srv/page.html").read_text() == "<p>hello\n"


def test_the_same_inputs_give_the_same_image(images: Images, web: Image) -> None:
    again = images.build(Path(__file__).parent / "web", args={"VERSION": "1.2"}, no_cache=True)
    assert again.image is not None
    assert again.image.id == web.id


def test_what_was_built_keeps_its_digest_in_a_registry(
    images: Images, web: Image, image_registry: Namespace
) -> None:
    name = image_registry.reference("web:1.2")
    images.tag(web, name)
    [pushed] = images.push(name)
    assert images.pull(name).digest == pushed.descriptor.digest


def shell_of_this_machine() -> dict[str, bytes]:
    """A shell and what it is linked to: a base image that needs no registry."""
    shell = shutil.which("sh")
    if shell is None or shutil.which("ldd") is None:
        pytest.skip("there is no shell to make a base image of")
    linked = subprocess.run(["ldd", shell], capture_output=True, text=True, check=False).stdout
    libraries = re.findall(r"(/\S+) \(", linked)
    files = {path[1:]: Path(path).read_bytes() for path in libraries}
    return {"bin/sh": Path(shell).read_bytes(), **files}


def test_a_command_runs_confined_and_its_files_are_in_the_image(images: Images) -> None:
    text = "FROM scratch\nCOPY --chmod=755 . /\nRUN echo made by a command > /made\n"
    images.build(shell_of_this_machine(), dockerfile_text=text, tags="made:1")
    assert (images.files("made:1") / "made").read_text() == "made by a command\n"
