from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

ONE, TWO = samples.image("one"), samples.image("two")
ARM = samples.image("arm", platform="linux/arm64")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "one.tar"
    path.write_bytes(ONE.archive("app:1", form="docker"))
    return path


@pytest.mark.parametrize("words", [["-i"], ["--input"], ["-q", "-i"]])
def test_a_loaded_image_is_named(run: Run, archive: Path, words: list[str]) -> None:
    assert run("load", *words, str(archive)) == (0, "Loaded image: app:1\n", "")
    assert run("ls", "-q", "app:1").out == f"{ONE.config.id.encoded[:12]}\n"


def test_an_image_without_a_name_is_told_by_its_id(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "nameless.tar"
    path.write_bytes(ONE.archive(form="docker"))
    assert run("load", "-i", str(path)).out == f"Loaded image ID: {ONE.config.id}\n"


def test_a_name_that_moves_is_told(run: Run, archive: Path, tmp_path: Path) -> None:
    run("load", "-i", str(archive))
    path = tmp_path / "two.tar"
    path.write_bytes(TWO.archive("app:1", form="docker"))
    assert run("load", "-i", str(path)).out == (
        f"The image app:1 already exists, renaming the old one with ID {ONE.config.id} "
        "to empty string\nLoaded image: app:1\n"
    )


def test_a_layout_folder_can_be_loaded(run: Run, tmp_path: Path) -> None:
    layout = ONE.layout(tmp_path / "layout", "app:1")
    assert run("load", "-i", str(layout)).out == "Loaded image: app:1\n"


def test_an_archive_can_come_from_standard_input(
    run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archive.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert run("load").out == "Loaded image: app:1\n"


def test_a_terminal_is_not_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    done = run("load")
    assert (done.status, done.out) == (1, "")
    assert "requested load from stdin, but stdin is empty" in done.err


def test_no_standard_input_at_all_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert "stdin is empty" in run("load").err


def test_a_file_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    done = run("load", "-i", str(tmp_path / "missing.tar"))
    assert (done.status, done.out) == (1, "")
    assert done.err == f"Error: {tmp_path / 'missing.tar'}: no such file or directory\n"


def test_something_else_than_an_archive_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("no archive\n" * 1000)
    done = run("load", "-i", str(path))
    assert (done.status, done.out) == (1, "")
    assert str(path) in done.err
    assert run("ls", "-q").out == ""


def test_arguments_are_refused(run: Run) -> None:
    done = run("load", "x")
    assert done.status == 1
    assert "'pytest-images load' accepts no arguments" in done.err


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "index.tar"
    path.write_bytes(samples.index(ONE, ARM).archive("app:1"))
    return path


def test_one_platform_of_several_can_be_loaded(run: Run, index: Path) -> None:
    assert run("load", "-i", str(index), "--platform", "linux/arm64").status == 0
    assert run("ls", "-q", "--no-trunc").out == f"{ARM.config.id}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--platform", "linux/amd64,linux/arm64/v8"],
        ["--platform=linux/arm64", "--platform", "linux/amd64"],
    ],
)
def test_several_platforms_can_be_loaded(run: Run, index: Path, words: list[str]) -> None:
    assert run("load", "-i", str(index), *words).status == 0
    ids = set(run("ls", "-q", "--no-trunc").out.split())
    assert ids == {str(ONE.config.id), str(ARM.config.id)}


def test_a_platform_the_archive_lacks_is_refused(run: Run, index: Path) -> None:
    done = run("load", "-i", str(index), "--platform", "linux/s390x")
    assert done.status == 1
    assert "no manifest for platform linux/s390x" in done.err
