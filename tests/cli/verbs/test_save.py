from __future__ import annotations

import os
import signal
import stat
import tarfile
import time
from typing import TYPE_CHECKING

import pytest

from pytest_images.cli import main
from pytest_images.testing import samples
from tests.cli.processes import LIMIT, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

ONE = samples.image("one", layers=2)


@pytest.fixture(autouse=True)
def image(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "one.tar"
    path.write_bytes(ONE.archive("app:1", form="docker"))
    run("load", "-q", "-i", str(path))


def members(path: Path) -> set[str]:
    with tarfile.open(path) as tar:
        return set(tar.getnames())


@pytest.mark.parametrize("words", [["-o", "{}"], ["--output={}"], ["-o{}"]])
def test_a_file_is_written_and_nothing_said(run: Run, tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "saved.tar"
    assert run("save", *(word.format(path) for word in words), "app:1") == (0, "", "")
    assert {"manifest.json", "index.json", "oci-layout", "repositories"} <= members(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "as Docker leaves it"


@pytest.mark.parametrize(
    ("form", "there", "missing"),
    [("oci", "index.json", "manifest.json"), ("docker", "manifest.json", "index.json")],
)
def test_one_form_can_be_chosen(
    run: Run, tmp_path: Path, form: str, there: str, missing: str
) -> None:
    path = tmp_path / "saved.tar"
    assert run("save", "--format", form, "-o", str(path), "app:1").status == 0
    assert there in members(path)
    assert missing not in members(path)


def test_an_unknown_form_is_refused(run: Run) -> None:
    done = run("save", "--format", "zip", "app:1")
    assert done.status == 125
    assert 'invalid argument "zip" for "--format" flag' in done.err


def test_standard_output_gets_the_same_bytes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("save", "-o", str(tmp_path / "saved.tar"), "app:1")
    with (tmp_path / "redirected.tar").open("w") as stdout:
        monkeypatch.setattr("sys.stdout", stdout)
        assert main(["save", "app:1"]) == 0
    assert (tmp_path / "redirected.tar").read_bytes() == (tmp_path / "saved.tar").read_bytes()


def test_a_terminal_is_not_written_to(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_images.cli.verbs.save.watched", lambda _: True)
    done = run("save", "app:1")
    assert (done.status, done.out) == (1, "")
    assert "cowardly refusing to save to a terminal. Use the -o flag or redirect" in done.err


def test_a_missing_image_leaves_the_file_as_it_was(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "saved.tar"
    path.write_text("before")
    done = run("save", "-o", str(path), "app:1", "missing:1")
    assert (done.status, done.out) == (1, "")
    assert "No such image: missing:1" in done.err
    assert path.read_text() == "before"


@pytest.mark.parametrize(
    ("kind", "told"), [("folder", "a directory"), ("link", "a symbolic link"), ("pipe", "FIFO")]
)
def test_what_is_no_file_is_not_replaced(run: Run, tmp_path: Path, kind: str, told: str) -> None:
    path = tmp_path / "target"
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("elsewhere")
    else:
        os.mkfifo(path)
    done = run("save", "-o", str(path), "app:1")
    assert done.status == 1
    assert f"cannot write to {told}" in done.err.replace("a named pipe (FIFO)", "FIFO")


def test_a_folder_that_is_missing_is_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "saved.tar"
    done = run("save", "-o", str(path), "app:1")
    assert done.err == f"Error: {path}: no such file or directory\n"


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
def test_a_platform_must_be_there(run: Run, tmp_path: Path, platform: str) -> None:
    done = run("save", "--platform", platform, "-o", str(tmp_path / "saved.tar"), "app:1")
    assert done.status == (0 if platform == "linux/amd64" else 1)
    assert ("no manifest for platform linux/arm64" in done.err) == (platform == "linux/arm64")


def test_an_image_must_be_named(run: Run) -> None:
    done = run("save")
    assert done.status == 1
    assert "'pytest-images save' requires at least 1 argument" in done.err


@pytest.fixture
def large(run: Run, tmp_path: Path) -> str:
    """An image that no pipe holds."""
    path = tmp_path / "large.tar"
    path.write_bytes(samples.image("large", size=3 << 20).archive("large:1"))
    run("load", "-q", "-i", str(path))
    return "large:1"


def test_a_reader_that_leaves_ends_it_quietly(large: str) -> None:
    with running("save", large) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(512)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(LIMIT) == 128 + signal.SIGPIPE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_though_nobody_reads(large: str, number: int) -> None:
    with running("save", large) as process:
        assert process.stdout is not None
        assert process.stdout.read(512)  # it is under way, and soon waits for a reader
        process.send_signal(number)
        assert process.wait(LIMIT) == 128 + number


def test_a_signal_leaves_the_file_as_it_was(large: str, tmp_path: Path) -> None:
    folder = tmp_path / "target"
    folder.mkdir()
    (folder / "saved.tar").write_text("before")
    with running("save", "-o", str(folder / "saved.tar"), large) as process:
        deadline = time.monotonic() + LIMIT
        while process.poll() is None and len(list(folder.iterdir())) == 1:
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT)
    assert [path.name for path in folder.iterdir()] == ["saved.tar"]
    content = (folder / "saved.tar").read_bytes()
    assert content == b"before" or len(content) > 3 << 20, "what was there, or all of it"
