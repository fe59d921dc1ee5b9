"""The examples of the pages on commands, run as they stand there, and the sections."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.cli import main
from pytest_images.cli.dispatch import GROUPS, VERBS
from pytest_images.server.registry import Registry
from pytest_images.testing import samples

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "commands.md"
TEXT = PAGE.read_text()
SECTION = re.compile(r"^## (?P<title>.+)\n(?P<text>(?:(?!## ).*\n)*)", re.MULTILINE)
CONSOLE = re.compile(r"^```console\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (?P<words>.+)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.MULTILINE)
REGISTRY = "localhost:5000"  # on the page; the test's is elsewhere
BLOCKS = [
    pytest.param(block, id=f"{page.name}:{block.string.count(chr(10), 0, block.start()) + 1}")
    for page in (PAGE, DOCS / "formatting.md")
    for block in CONSOLE.finditer(page.read_text())
]


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry.serving() as registry:
        yield registry


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with what examples load, import and build, and a store of its own."""
    (tmp_path / "app.tar").write_bytes(samples.image("app", layers=2).archive("app:1"))
    (tmp_path / "root.tar").write_bytes(*samples.image("root", compression="none").layers)
    (tmp_path / "web").mkdir()
    (tmp_path / "web/page.html").write_text("<p>hi\n")
    (tmp_path / "web/Dockerfile").write_text(
        "FROM scratch AS assets\nCOPY page.html /srv/\nFROM assets\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTEST_IMAGES_DURABILITY", "fast")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_prints_what_it_shows(
    block: re.Match[str], registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands run one after another; ``...`` stands for anything, no output for any."""
    commands = list(COMMAND.finditer(block["text"]))
    assert "".join(command[0] for command in commands) == block["text"]
    for command in commands:
        program, *words = shlex.split(command["words"].replace(REGISTRY, str(registry)))
        assert program == "pytest-images"
        status = main(words)
        printed = capsys.readouterr()
        assert (status, printed.err) == (0, ""), command["words"]
        out = re.sub(r" +\n", "\n", printed.out).replace(str(registry), REGISTRY)
        if command["shown"]:
            is_shown = doctest.OutputChecker().check_output
            assert is_shown(command["shown"], out, doctest.ELLIPSIS), f"{command['words']}\n{out}"


def test_every_command_has_a_section() -> None:
    titles = [title for match in SECTION.finditer(TEXT) for title in match["title"].split(", ")]
    commands = {*VERBS, *(f"registry {name}" for name in GROUPS["registry"][1])} - {"version"}
    assert commands <= set(titles)
