from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.cli.ending import ending, told
from pytest_images.errors import ImageNotFound
from pytest_images.testing import samples
from tests.cli.processes import COMMAND, LIMIT, finished, running, stalling_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.content.store import Store

FULL = Path("/dev/full")


def failing(error: BaseException) -> int:
    def command(words: Sequence[str]) -> int:
        raise error

    return ending(command, [], debug=False)


def test_an_error_is_told_with_its_notes(capsys: pytest.CaptureFixture[str]) -> None:
    error = ImageNotFound("app:1")
    error.add_note("pull it first")
    assert failing(error) == 1
    assert capsys.readouterr() == ("", "Error: No such image: app:1\npull it first\n")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileNotFoundError(2, "No such file or directory", "/a"), "/a: no such file or directory"),
        (OSError(28, "No space left on device"), "no space left on device"),
        (OSError("odd"), "OSError: odd"),
        (ValueError("a\x1b[2J"), r"ValueError: a\x1b[2J"),
    ],
)
def test_other_errors_are_told_in_a_line(error: Exception, text: str) -> None:
    assert told(error) == text


def test_a_fault_says_that_it_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(ZeroDivisionError("oh")) == 1
    err = capsys.readouterr().err
    assert err.startswith("Error: ZeroDivisionError: oh\n")
    assert "This is a fault" in err


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141)]
)
def test_a_signal_is_no_text(
    error: BaseException, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(error) == status
    assert capsys.readouterr() == ("", "")


def test_tracebacks_are_shown_on_request() -> None:
    done = finished("--debug", "tag", "missing", "other")
    assert done.returncode == 1
    assert b"Traceback" in done.stderr
    assert b"ImageNotFound" in done.stderr
    assert b"Traceback" not in finished("tag", "missing", "other").stderr


def test_a_reader_that_goes_away_is_no_error(store: Store) -> None:
    samples.image("one").put(store, "app:1")
    with running("ls") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(LIMIT) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")
def test_what_the_encoding_of_the_output_lacks_is_escaped(store: Store) -> None:
    sample = samples.image("one")
    sample.put(store, "app:1")
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = finished("history", "--format", "é{{.CreatedBy}}", "app:1", env=ascii_only)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(rb"\xe9ADD")


def test_a_full_disk_is_an_error() -> None:
    with FULL.open("w") as full:
        done = finished("ls", stdout=full)
    assert done.returncode == 1
    assert done.stderr == b"Error: no space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_no_error(closed: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" "$@" {closed}', *COMMAND, "ls"],
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-"])
def test_an_error_nobody_can_see_is_not_mixed_into_the_output(closed: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" "$@" {closed}', *COMMAND, "tag", "missing", "other"],
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_during_a_pull_ends_it_quietly(number: int, status: int, home: Path) -> None:
    with stalling_server() as (address, came), running("pull", f"{address}/app:1") as process:
        assert came.wait(LIMIT), "the command never asked"
        process.send_signal(number)
        assert process.wait(5) == status
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert finished("ls", "-q").stdout == b""
    assert not list((home / "ingest").iterdir())


def test_exit_handlers_still_run(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    program = (
        "import atexit, pathlib, sys; from pytest_images.cli import command;"
        f"atexit.register(pathlib.Path({str(witness)!r}).touch);"
        "sys.argv[1:] = ['--version']; command()"
    )
    done = subprocess.run([COMMAND[0], "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"pytest-images version")
    assert witness.exists()
