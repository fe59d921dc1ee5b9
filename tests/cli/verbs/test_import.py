from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from tests.cli.conftest import Run

[TAR] = samples.image("one", compression="none").tars


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root.tar"
    path.write_bytes(TAR)
    return path


def test_the_id_is_printed_and_nothing_else(run: Run, root: Path) -> None:
    done = run("import", str(root), "app:1")
    assert (done.status, done.err) == (0, "")
    assert re.fullmatch(r"sha256:[0-9a-f]{64}\n", done.out)
    assert run("ls", "-q", "--no-trunc").out == done.out


def test_changes_message_and_platform_are_taken(run: Run, root: Path) -> None:
    words = ["-c", "ENV A=1,2", "--change", "CMD x", "-m", "by hand", "--platform=linux/arm64"]
    assert run("import", *words, str(root), "app:1").status == 0
    template = "{{json .Config.Env}} {{json .Config.Cmd}} {{.Architecture}} {{.Comment}}"
    found = run("inspect", "-f", template, "app:1").out
    assert found == '["A=1,2"] ["/bin/sh","-c","x"] arm64 by hand\n'


def test_a_root_can_come_from_standard_input(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with root.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert run("import", "-").status == 0
    assert "Imported from -" in run("history", run("ls", "-q").out.strip()).out


def test_a_terminal_is_not_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    done = run("import", "-")
    assert (done.status, done.out) == (1, "")
    assert "requested import from stdin, but stdin is empty" in done.err


def test_an_address_is_said_before_its_image(run: Run) -> None:
    with FaultRegistry() as server:
        server.on("GET", "/root.tar", Fault(status=200, body=TAR))
        done = run("import", f"http://me:secret@{server}/root.tar", "app:1")
        first, image, end = done.out.split("\n")
        assert first == f"Downloading from http://{server}/root.tar"
        assert image.startswith("sha256:")
        assert end == ""


def test_an_address_that_does_not_answer_is_an_error(run: Run) -> None:
    done = run("import", "http://127.0.0.1:1/root.tar")
    assert (done.status, done.out) == (1, "")
    assert "cannot be reached" in done.err


@pytest.mark.parametrize("name", ["missing.tar", "ftp://host.test/root.tar"])
def test_what_is_no_file_is_said_so(run: Run, name: str) -> None:
    done = run("import", name)
    assert (done.status, done.out) == (1, "")
    assert done.err == f"Error: {Path(name)}: no such file or directory\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-c", "RUN x"], "run is not a valid change command"),
        (["-c", ""], "file with no instructions"),
        (["--platform", "a/b/c/d"], 'invalid platform "a/b/c/d"'),
    ],
)
def test_an_option_that_means_nothing_is_refused(
    run: Run, root: Path, words: list[str], reason: str
) -> None:
    done = run("import", *words, str(root))
    assert (done.status, done.out) == (1, "")
    assert reason in done.err


@pytest.mark.parametrize("name", ["App:1", f"app@sha256:{'a' * 64}"])
def test_a_name_that_can_not_be_one_is_refused(run: Run, root: Path, name: str) -> None:
    done = run("import", str(root), name)
    assert (done.status, done.out) == (1, "")
    assert run("ls", "-q").out == ""


def test_an_argument_is_needed(run: Run) -> None:
    done = run("import")
    assert done.status == 1
    assert "'pytest-images import' requires at least 1 argument" in done.err


def test_docker_image_import_is_the_same(run: Run, root: Path) -> None:
    assert run("image", "import", str(root)).status == 0
