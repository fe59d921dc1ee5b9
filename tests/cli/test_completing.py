from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.cli.dispatch import GROUPS, VERBS
from pytest_images.cli.verbs.completion import SCRIPTS
from pytest_images.testing import samples
from tests.peers import peer

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

ONE, TWO = samples.image("one"), samples.image("two")


def completed(run: Run, *words: str) -> list[str]:
    """The candidates for the last word, without what they are."""
    done = run("__complete", *words)
    assert (done.status, done.err) == (0, "")
    return [line.partition("\t")[0] for line in done.out.splitlines()]


def test_commands_come_first_with_what_they_do(run: Run) -> None:
    assert set(completed(run, "")) == {*VERBS, *GROUPS}
    assert completed(run, "pr") == ["prune"]
    assert run("__complete", "pr").out == "prune\tRemove unused images\n"
    assert completed(run, "registry", "") == ["serve"]
    assert "login" not in completed(run, "image", "")


def test_it_does_not_name_itself(run: Run) -> None:
    assert "__complete" not in run("--help").out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ls", "--no"], ["--no-trunc"]),
        (["image", "ls", "--no"], ["--no-trunc"]),
        (["images", "--no"], ["--no-trunc"]),
        (["registry", "serve", "--h"], ["--help", "--host"]),
        (["--eng"], ["--engine"]),
        (["--home", "/x", "ls", "--no"], ["--no-trunc"]),
        (["ls", "--filter", "l"], ["label!=", "label="]),
        (["ls", "-f", "re"], ["reference="]),
        (["ls", "--filter=re"], ["--filter=reference="]),
        (["prune", "--filter", "re"], []),
        (["pull", "--platform", "linux/am"], ["linux/amd64"]),
        (["history", "--format", ""], ["json", "table"]),
        (["--engine", "em"], ["embedded"]),
        (["load", "-i", ""], [":files"]),
        (["load", "--input=a"], [":files"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["nope", ""], []),
        (["df", ""], []),
        (["rm", "--nope", "x", ""], []),
    ],
)
def test_options_and_their_values_are_known(
    run: Run, words: list[str], expected: list[str]
) -> None:
    assert completed(run, *words) == expected


@pytest.mark.parametrize("verb", ["rm", "inspect", "tag", "push", "history", "save", "ls", "cat"])
def test_images_are_named_as_they_are_typed(run: Run, store: Store, verb: str) -> None:
    ONE.put(store, "app:1", "localhost:5000/app:1")
    TWO.put(store, "app:2")
    assert completed(run, verb, "") == ["app:1", "app:2", "localhost:5000/app:1"]
    assert completed(run, verb, "app:") == ["app:1", "app:2"]


def test_a_name_is_offered_once(run: Run, store: Store) -> None:
    ONE.put(store, "app:1", "app:2")
    assert completed(run, "rm", "-f", "app:1", "") == ["app:2"]
    assert completed(run, "cat", "app:1", "") == []


def test_where_no_name_begins_so_an_id_may(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    assert completed(run, "rm", ONE.config.id.encoded[:4]) == [ONE.config.id.short]


def test_registries_are_those_that_one_is_logged_in_to(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"r.example:5000": {}}}))
    (tmp_path / "config.json").chmod(0o600)
    assert completed(run, "logout", "r") == ["r.example:5000"]


def test_a_store_that_cannot_be_read_says_nothing(run: Run, home: Path) -> None:
    home.write_text("not a folder")
    assert run("__complete", "rm", "") == (1, "", "")


def test_an_unknown_shell_is_refused(run: Run) -> None:
    done = run("completion", "tcsh")
    assert (done.status, done.out) == (1, "")
    assert "bash, fish, zsh" in done.err


@pytest.fixture
def environment(home: Path, tmp_path: Path) -> dict[str, str]:
    """Where a shell finds this interpreter's command, and the test's store."""
    program = tmp_path / "bin" / "pytest-images"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pytest_images "$@"\n')
    program.chmod(0o700)
    return {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTEST_IMAGES_HOME": str(home),
    }


def in_shell(program: str, script: str, environment: dict[str, str], folder: Path) -> list[str]:
    done = subprocess.run(
        [peer(program), "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


IN_BASH = """
source <(pytest-images completion bash)
complete -p pytest-images > /dev/null || exit 1
COMP_LINE=$1 COMP_POINT=${#1}
_pytest_images
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pytest-images pu", ["pull", "push"]),
        ("pytest-images rm localhost:5000/app:", ["1", "2"]),
        ("pytest-images rm ap", ["app:1"]),
        ("pytest-images ls --filter=dang", ["dangling="]),
        ("pytest-images load -i ar", ["archive.tar"]),
        ("pytest-images load --input=ar", ["archive.tar"]),
        ("pytest-images nope ", [""]),
    ],
)
@pytest.mark.peer("bash")
def test_bash_completes(
    store: Store, environment: dict[str, str], tmp_path: Path, line: str, expected: list[str]
) -> None:
    """Readline gives the whole line, and wants what follows the last colon or equals sign."""
    ONE.put(store, "app:1", "localhost:5000/app:1", "localhost:5000/app:2")
    (tmp_path / "archive.tar").touch()
    script = IN_BASH.replace("$1", f"'{line}'").replace("${#1}", str(len(line)))
    assert in_shell("bash", script, environment, tmp_path) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pytest-images pu", ["pull", "push"]),
        ("pytest-images rm localhost", ["localhost:5000/app:1", "localhost:5000/app:2"]),
        ("pytest-images load -i ar", ["archive.tar"]),
    ],
)
@pytest.mark.peer("fish")
def test_fish_completes(
    store: Store, environment: dict[str, str], tmp_path: Path, line: str, expected: list[str]
) -> None:
    ONE.put(store, "app:1", "localhost:5000/app:1", "localhost:5000/app:2")
    (tmp_path / "archive.tar").touch()
    script = f"pytest-images completion fish | source; complete -C '{line}'"
    found = in_shell("fish", script, environment, tmp_path)
    assert [each.partition("\t")[0] for each in found] == expected


# The completion system itself needs a terminal; what the script gives to it can be seen without.
IN_ZSH = """
compdef() {{ }}
source <(pytest-images completion zsh)
_describe() {{ print -rl -- "${{(@P)2}}" }}
words=({words}) CURRENT={count}
_pytest_images
"""


@pytest.mark.peer("zsh")
def test_zsh_describes_what_can_be_typed(
    store: Store, environment: dict[str, str], tmp_path: Path
) -> None:
    ONE.put(store, "app:1")
    script = IN_ZSH.format(words="pytest-images rm ''", count=3)
    assert in_shell("zsh", script, environment, tmp_path) == ["app\\:1"]
    script = IN_ZSH.format(words="pytest-images pul", count=2)
    assert in_shell("zsh", script, environment, tmp_path) == [
        "pull:Download an image from a registry"
    ]


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_script_names_its_shell_and_asks_the_hidden_command(run: Run, shell: str) -> None:
    out = run("completion", shell).out
    assert f"pytest-images completion {shell}" in out
    assert "__complete" in out
