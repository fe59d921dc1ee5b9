"""A registry plugin that is installed is found by its entry point and used by everything."""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.scenarios.conftest import Aftermath

PLUGIN = Path(__file__).parents[2] / "plugins" / "pytest-images-example-registry"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the plugin installed as an installer leaves it, on the path of children."""
    folder = tmp_path / "site"
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    name = project["name"].replace("-", "_")
    shutil.copytree(PLUGIN / name, folder / name)
    info = folder / f"{name}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = [f"{key} = {value}" for key, value in project["entry-points"]["pytest_images"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[pytest_images]", *lines, ""]))
    paths = [str(folder), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    return folder


def test_the_plugins_own_tests_pass_with_it_installed(
    pytester: pytest.Pytester, site: Path, aftermath: Aftermath
) -> None:
    shutil.copytree(PLUGIN / "tests", pytester.path / "tests")
    result = pytester.runpytest_subprocess("tests", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=7)
    assert aftermath.is_clean()


def test_autoload_can_be_turned_off(
    pytester: pytest.Pytester, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXAMPLE_REGISTRY", "127.0.0.1:1")
    pytester.makepyfile(
        "def test_it(images):\n"
        "    [endpoint] = images.endpoints('registry.example.test/app')\n"
        "    assert endpoint.host == 'registry.example.test'\n"
    )
    assert pytester.runpytest_subprocess().ret == 1
    monkeypatch.setenv("PYTEST_IMAGES_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert pytester.runpytest_subprocess().ret == 0


def test_the_plugin_shows_in_the_trace(
    pytester: pytest.Pytester, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_TRACE", "1")
    pytester.makepyfile("def test_it(images): images.credentials('other.test')")
    result = pytester.runpytest_subprocess("-s")
    result.stderr.fnmatch_lines(
        ["images: registry_credentials(*", "images:   > example-registry", "*> docker-config"]
    )


def test_a_plugin_that_cannot_be_imported_is_named_and_the_way_around_too(
    pytester: pytest.Pytester, site: Path
) -> None:
    (site / "pytest_images_example_registry" / "__init__.py").write_text("import no_such_module")
    pytester.makepyfile("def test_it(images): pass")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*HookError: *example-registry of pytest_images_example_registry*",
            "*PYTEST_IMAGES_DISABLE_PLUGIN_AUTOLOAD=1*",
        ]
    )
