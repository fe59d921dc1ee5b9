from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING

import pytest

from pytest_images.cli.dispatch import ALIASES, GROUPS, VERBS, module_of
from pytest_images.cli.options import Command

if TYPE_CHECKING:
    from tests.cli.conftest import Run

COMMANDS = [*VERBS, *(f"registry {name}" for name in GROUPS["registry"][1])]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_module_and_help(run: Run, name: str) -> None:
    module = importlib.import_module(f"pytest_images.cli.verbs.{module_of(name)}")
    assert isinstance(module.COMMAND, Command)
    assert module.COMMAND.name == name
    done = run(*name.split(), "--help")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Usage:  pytest-images {name}")
    assert run("help", *name.split()) == done


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["--help=true"], ["help"]])
def test_without_a_command_the_help_names_them_all(run: Run, words: list[str]) -> None:
    done = run(*words)
    assert done.status == 0
    assert set(VERBS) <= set(re.findall(r"^  (\w+) ", done.out, re.MULTILINE))


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_alone_lists_its_commands(run: Run, group: str) -> None:
    done = run(group)
    assert done.status == 0
    assert set(GROUPS[group][1]) == set(re.findall(r"^  (\w+) ", done.out, re.MULTILINE))


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
@pytest.mark.parametrize("prefix", [[], ["image"]])
def test_an_alias_is_the_command(run: Run, alias: str, name: str, prefix: list[str]) -> None:
    assert run(*prefix, alias, "--help") == run(name, "--help")


def test_an_unknown_command_is_refused_as_docker_does(run: Run) -> None:
    done = run("nope")
    assert done.status == 1
    assert done.err == (
        "pytest-images: unknown command: pytest-images nope\n\n"
        "Run 'pytest-images --help' for more information\n"
    )


@pytest.mark.parametrize("words", [["image", "nope"], ["image", "serve"], ["registry", "ls"]])
def test_a_group_knows_its_own_commands_only(run: Run, words: list[str]) -> None:
    done = run(*words)
    assert done.status == 1
    assert f"unknown command: pytest-images {' '.join(words)}" in done.err


@pytest.mark.parametrize(
    ("words", "message", "name"),
    [
        (["--nope"], "unknown flag: --nope", "pytest-images"),
        (["image", "--nope"], "unknown flag: --nope", "pytest-images image"),
        (["ls", "--nope"], "unknown flag: --nope", "pytest-images ls"),
        (["image", "ls", "-z"], "unknown shorthand flag: 'z' in -z", "pytest-images ls"),
    ],
)
def test_an_unknown_option_ends_with_status_125(
    run: Run, words: list[str], message: str, name: str
) -> None:
    done = run(*words)
    assert (done.status, done.out) == (125, "")
    assert done.err.startswith(f"{message}\n\nUsage:  {name} ")
    assert done.err.endswith(f"Run '{name} --help' for more information\n")


@pytest.mark.parametrize("words", [["version"], ["--version"], ["-v"]])
def test_the_version_is_printed(run: Run, words: list[str]) -> None:
    done = run(*words)
    assert done.status == 0
    assert re.fullmatch(r"pytest-images version [\d.]+\S*, Python 3\.\d+\S*\n", done.out)


def test_the_version_can_be_formatted(run: Run) -> None:
    done = run("version", "-f", "{{.Client.Version}}")
    assert run("version").out.startswith(f"pytest-images version {done.out.strip()},")
    assert run("version", "--format", "json").out.startswith('{"Client":{"Python":"3.')
    assert run("version", "--format", "{{.Server}}").status == 1


def test_help_touches_no_store(run: Run, home: object) -> None:
    from pathlib import Path

    run("ls", "--help")
    run("ls", "--nope")
    assert not Path(str(home)).exists()


def test_an_engine_nobody_brings_is_refused(run: Run) -> None:
    done = run("--engine", "no-such-engine", "ls")
    assert done.status == 1
    assert "no-such-engine" in done.err


def test_the_environment_chooses_the_engine(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_ENGINE", "from-the-environment")
    assert "from-the-environment" in run("ls").err
    assert run("--engine", "embedded", "ls").status == 0
