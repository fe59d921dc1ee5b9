from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from pytest_images.archive.source import Source, opened
from pytest_images.errors import InvalidArchive
from tests.ledger import Ledger, refused


def test_memory_and_files_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        assert Source(file, "archive").read(100) == b"content"
    assert Source(io.BytesIO(b"content"), "archive").read(3) == b"con"


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_pipe_gives_what_came_without_waiting_for_all(buffering: int) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering) as stream:
        source = Source(stream, "archive", 5)
        os.write(writer, b"part")
        assert source.read(100) == b"part"
        os.close(writer)
        assert source.read(100) == b""


def test_a_pipe_that_stands_still_is_refused(ledger: Ledger) -> None:
    reader, writer = os.pipe()
    with (
        os.fdopen(reader, "rb") as stream,
        os.fdopen(writer, "wb"),
        refused(InvalidArchive, "nothing arrived for 0.05 seconds"),
    ):
        Source(stream, "archive", 0.05).read(1)


def test_a_fifo_without_a_writer_opens_and_is_refused_in_time(
    tmp_path: Path, ledger: Ledger
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with opened(fifo, "archive") as stream, refused(InvalidArchive, "nothing arrived"):
        Source(stream, "archive", 0.05).read(1)


def test_a_fifo_waits_for_its_writer(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Timer(0.1, lambda: fifo.write_bytes(b"late"))
    with opened(fifo, "archive") as stream:
        writer.start()
        assert Source(stream, "archive", 5).read(100) == b"late"
    writer.join()


def test_a_missing_file_and_a_failing_one_are_named(tmp_path: Path) -> None:
    with refused(InvalidArchive, "No such file"), opened(tmp_path / "none", "archive"):
        pass
    with refused(InvalidArchive, "directory"), opened(tmp_path, "archive"):
        pass


def test_an_error_while_reading_is_the_archive_s(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb", buffering=0) as write_only:
        descriptor = os.dup(write_only.fileno())
    with io.FileIO(descriptor, "r") as stream, refused(InvalidArchive, "cannot be read"):
        Source(stream, "archive").read(1)
