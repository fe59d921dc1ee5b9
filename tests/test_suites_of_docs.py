"""The suites that the pages show are run, with images that are what they speak of."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.host import Host
from pytest_images.testing import samples
from tests.peers import miss, shared_images
from tests.sandbox.conftest import require_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.images import Images

ROOT = Path(__file__).parents[1]
ARCHIVE = samples.image("app").archive("app:1")
APP = {
    "etc/os-release": b'NAME="Alpine Linux"\n',
    "app/run": b"#!/bin/sh\n",
    "app/settings.toml": b"",
    "Dockerfile": b"FROM scratch\nCOPY etc /etc\nCOPY --chmod=755 app /app\nUSER app\n",
}


@pytest.fixture
def home(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of the suite."""
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(pytester.path / "store"))
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    return pytester.path / "store"


@pytest.fixture
def images(home: Path) -> Iterator[Images]:
    """Where the names come from that a suite takes for granted."""
    with Host(home=home, load_entry_points=False) as host:
        yield host.images


def suites(page: str) -> list[str]:
    """The blocks of a page that have tests."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return [block for block in blocks if "def test_" in block]


def passes(pytester: pytest.Pytester, suite: str, *options: str) -> None:
    pytester.makepyfile(suite)
    result = pytester.runpytest_subprocess("--images-offline", *options)
    result.assert_outcomes(passed=suite.count("\ndef test_") + suite.startswith("def test_"))


def test_the_page_of_fixtures(pytester: pytest.Pytester, images: Images) -> None:
    release, pulls, makes = suites("docs/pytest.md")
    pytester.mkdir("dist").joinpath("app.tar").write_bytes(ARCHIVE)
    passes(pytester, release)
    images.load(BytesIO(samples.image("alpine").archive("alpine:3.20")))
    passes(pytester, pulls)
    pytester.makeconftest(
        f"""
        import builtins
        def build_the_archive(folder):
            (folder / "app.tar").write_bytes({ARCHIVE!r})
            return folder / "app.tar"
        builtins.build_the_archive = build_the_archive
        """
    )
    pytester.makepyfile(makes)
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_the_page_of_looking_inside(pytester: pytest.Pytester, images: Images) -> None:
    images.build(APP, tags="app:1")
    [suite] = suites("docs/looking-inside.md")
    passes(pytester, suite)


def test_the_command_in_the_build_of_the_readme(
    pytester: pytest.Pytester, images: Images, tmp_path: Path
) -> None:
    require_sandbox(tmp_path)
    folder = shared_images() or miss("shared", "the real images are not at hand")
    [rootfs] = folder.glob("alpine/alpine-minirootfs-3.20*x86_64.tar.gz")
    images.import_(rootfs, "alpine:3.20")
    _, suite = suites("README.md")
    passes(pytester, suite)
