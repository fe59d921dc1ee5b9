"""The suite that the README shows is one of the tests."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.host import Host
from pytest_images.testing import samples

if TYPE_CHECKING:
    from tests.peers import DockerRegistry

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.peer("registry")
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_the_suite_of_the_readme_passes(
    pytester: pytest.Pytester,
    docker_registry: DockerRegistry,
    monkeypatch: pytest.MonkeyPatch,
    workers: tuple[str, ...],
) -> None:
    [suite] = re.findall(
        r"```python\n(from pytest_images import built.*?)```", README.read_text(), re.S
    )
    base = f"{docker_registry}/base:1"
    with Host(home=pytester.path / "publisher", load_entry_points=False) as host:
        host.images.load(BytesIO(samples.image("readme").archive(base)))
        host.images.push(base)
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(pytester.path / "store"))
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    pytester.makepyfile(suite.replace("alpine:3.20", base))
    web = pytester.mkdir("web")
    (web / "Dockerfile").write_text("FROM base\nCOPY page.html /srv/\n")
    (web / "page.html").write_text("<h1>hello</h1>\n")
    result = pytester.runpytest_subprocess(*workers)
    result.assert_outcomes(passed=suite.count("\ndef test_"))
    result.stdout.fnmatch_lines(["images: 1 pulled (*), *1 built, 1 pushed, *cleaned*"])
