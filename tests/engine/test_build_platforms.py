"""`build` for other platforms than this machine's: without RUN always, with it where emulated."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import Unsupported
from tests.peers import miss, shared_images

if TYPE_CHECKING:
    from pytest_images.images import Images

# An architecture that is not this machine's, its folder and its root file system.
FOREIGN = ("amd64", "amd64", "x86_64") if platform.machine() == "aarch64" else (
    "arm64", "arm64v8", "aarch64"
)  # fmt: skip
ARCHITECTURE, FOLDER, MACHINE = FOREIGN


@pytest.fixture
def shared() -> Path:
    return shared_images() or miss("shared", "the real images are not at hand")


def test_what_needs_no_run_is_built_for_another_platform(images: Images, shared: Path) -> None:
    """hello-world's own Dockerfile."""
    context = {
        "Dockerfile": b'FROM scratch\nCOPY hello /\nCMD ["/hello"]\n',
        "hello": (shared / "hello-world" / FOLDER / "hello").read_bytes(),
    }
    images.build(context, tags="hello-world", platforms=f"linux/{ARCHITECTURE}")
    config = images.config("hello-world")
    assert config.platform.architecture == ARCHITECTURE
    assert config.settings.command == ("/hello",)


def test_a_stage_may_be_of_another_platform_than_the_image(images: Images) -> None:
    text = (
        "FROM --platform=$BUILDPLATFORM scratch AS tools\nCOPY <<EOF /of\n$BUILDARCH\nEOF\n"
        "FROM scratch\nARG TARGETARCH\nCOPY --from=tools /of /$TARGETARCH\n"
    )
    images.build({}, dockerfile_text=text, tags="app:1", platforms=f"linux/{ARCHITECTURE}")
    assert images.config("app:1").platform.architecture == ARCHITECTURE
    assert (images.files("app:1") / ARCHITECTURE).is_file()


def test_a_command_of_another_platform_runs_emulated_or_says_what_is_missing(
    images: Images, shared: Path
) -> None:
    [archive] = shared.glob(f"alpine/alpine-minirootfs-3.20*{MACHINE}.tar.gz")
    images.import_(archive, "foreign:1", platform=f"linux/{ARCHITECTURE}")
    text = "FROM foreign:1\nRUN uname -m > /machine\n"
    if Path(f"/proc/sys/fs/binfmt_misc/qemu-{MACHINE}").exists():
        images.build({}, dockerfile_text=text, tags="app:1", platforms=f"linux/{ARCHITECTURE}")
        assert (images.files("app:1") / "machine").read_text() == f"{MACHINE}\n"
        return
    with pytest.raises(Unsupported, match=f"linux/{ARCHITECTURE}.* on linux/.*no emulator"):
        images.build({}, dockerfile_text=text, platforms=f"linux/{ARCHITECTURE}")
