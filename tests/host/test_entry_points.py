from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import HookError
from pytest_images.host.entry_points import EntryPoint, installed

if TYPE_CHECKING:
    from pathlib import Path


def distribution(folder: Path, name: str, text: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(text)


def test_the_group_of_ours_is_read_and_no_other(tmp_path: Path) -> None:
    text = "[console_scripts]\nx = y:z\n\n[pytest_images]\necr = cloud.ecr:PLUGIN\n[other]\na = b\n"
    distribution(tmp_path, "cloud", text)
    assert installed([str(tmp_path)]) == (EntryPoint("ecr", "cloud.ecr:PLUGIN", "cloud"),)


def test_comments_extras_and_spaces_are_read_as_importlib_does(tmp_path: Path) -> None:
    text = "[pytest_images]\n# a comment\n\n  a=b.c : d  [extra]\n"
    distribution(tmp_path, "odd", text)
    [ours] = installed([str(tmp_path)])
    [theirs] = [
        point
        for found in importlib.metadata.distributions(path=[str(tmp_path)])
        for point in found.entry_points
    ]
    assert ours.name == theirs.name
    assert ours.target.replace(" ", "") == theirs.value.split("[")[0].replace(" ", "")


def test_the_first_distribution_of_a_name_wins(tmp_path: Path) -> None:
    distribution(tmp_path / "one", "my_plugin", "[pytest_images]\na = first\n")
    distribution(tmp_path / "two", "my.plugin", "[pytest_images]\na = second\n")
    found = installed([str(tmp_path / "one"), str(tmp_path / "two")])
    assert [point.target for point in found] == ["first"]


def test_folders_that_are_not_there_are_passed_over(tmp_path: Path) -> None:
    assert installed([str(tmp_path / "missing"), str(tmp_path)]) == ()


def test_a_class_is_called_to_make_a_plugin() -> None:
    assert EntryPoint("x", "argparse:ArgumentParser", "d").load().__class__.__name__ == (
        "ArgumentParser"
    )


@pytest.mark.parametrize("target", ["no_such_module", "json:no_such_attribute"])
def test_a_plugin_that_cannot_be_loaded_is_named(target: str) -> None:
    with pytest.raises(HookError, match=target) as caught:
        EntryPoint("broken", target, "bad-dist").load()
    assert caught.value.plugins == ("broken of bad-dist",)
    assert "PYTEST_IMAGES_DISABLE_PLUGIN_AUTOLOAD" in caught.value.__notes__[0]
