from __future__ import annotations

import errno
import gzip
import io
import os
import subprocess
import tarfile
import threading
from typing import TYPE_CHECKING, BinaryIO

import pytest

from pytest_images.archive.output import Output, header, padded
from pytest_images.layer.tar import members
from tests.peers import peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT = os.urandom(1000) * 3000  # more than a pipe holds


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(CONTENT)
    return path


def poured(stream: BinaryIO, source: Path) -> None:
    """Write a little, the file, and a little."""
    output = Output(stream)
    output.write(b"before")
    with source.open("rb") as file:
        output.copy(file, len(CONTENT))
    output.write(b"after")


WHOLE = b"before" + CONTENT + b"after"


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_file_gets_all_bytes_in_order(source: Path, tmp_path: Path, buffering: int) -> None:
    with (tmp_path / "out").open("wb", buffering=buffering) as stream:
        stream.write(b"first ")  # perhaps still in the buffer
        poured(stream, source)
        stream.write(b" last")
    assert (tmp_path / "out").read_bytes() == b"first " + WHOLE + b" last"


def test_a_file_opened_for_appending_too(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"there ")
    with (tmp_path / "out").open("ab") as stream:
        poured(stream, source)
    assert (tmp_path / "out").read_bytes() == b"there " + WHOLE


def test_a_file_open_for_reading_too_can_be_read_back(source: Path, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+b") as stream:
        poured(stream, source)
        stream.seek(0)
        assert stream.read() == WHOLE


@pytest.mark.parametrize("blocking", [True, False])
def test_a_pipe_gets_all_bytes_though_it_may_not_block(source: Path, blocking: bool) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, blocking)
    received: list[bytes] = []

    def read() -> None:
        with os.fdopen(reader, "rb") as stream:
            received.append(stream.read())

    thread = threading.Thread(target=read)
    thread.start()
    with os.fdopen(writer, "wb", buffering=0) as stream:
        poured(stream, source)
    thread.join()
    assert received == [WHOLE]


def test_memory_gets_all_bytes(source: Path) -> None:
    stream = io.BytesIO()
    poured(stream, source)
    assert stream.getvalue() == WHOLE


def test_a_stream_that_compresses_is_not_bypassed(source: Path, tmp_path: Path) -> None:
    """It has a descriptor too: that of the file it compresses into."""
    with gzip.open(tmp_path / "out.gz", "wb") as stream:
        poured(stream, source)  # type: ignore[arg-type] # as any stream
    assert gzip.decompress((tmp_path / "out.gz").read_bytes()) == WHOLE


def test_a_stream_that_takes_a_part_at_a_time_gets_all(source: Path) -> None:
    class Parts(io.BytesIO):
        def write(self, data: object) -> int:
            return super().write(bytes(data)[:1000])  # type: ignore[call-overload] # bytes-like

    stream = Parts()
    poured(stream, source)
    assert stream.getvalue() == WHOLE


def no_kernel(*_: object, **__: object) -> int:
    raise OSError(errno.EXDEV, "not between these")


@pytest.mark.parametrize("missing", [["copy_file_range"], ["copy_file_range", "sendfile"]])
def test_where_the_kernel_cannot_copy_we_do(
    source: Path, tmp_path: Path, missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in missing:
        monkeypatch.setattr(f"os.{name}", no_kernel)
    with (tmp_path / "out").open("wb") as stream:
        poured(stream, source)
    assert (tmp_path / "out").read_bytes() == WHOLE


def test_a_full_disk_is_not_taken_for_inability(source: Path) -> None:
    with (
        open("/dev/full", "wb", buffering=0) as stream,  # noqa: PTH123 - a device
        pytest.raises(OSError, match="No space"),
    ):
        poured(stream, source)


def test_a_file_that_is_too_short_is_told(source: Path, tmp_path: Path) -> None:
    for make in STREAMS:
        with (
            make(tmp_path / "out") as stream,
            source.open("rb") as file,
            pytest.raises(EOFError, match=str(len(CONTENT))),
        ):
            Output(stream).copy(file, len(CONTENT) + 1)


STREAMS: list[Callable[[Path], BinaryIO]] = [lambda path: path.open("wb"), lambda _: io.BytesIO()]
SHORT, LONG = "blobs/sha256/" + "a" * 64, "blobs/sha512/" + "b" * 128


@pytest.mark.parametrize("path", [SHORT, LONG, "oci-layout", "d/" * 60 + "x"])
@pytest.mark.parametrize("size", [0, 5, 512, (8 << 30) - 1, 8 << 30, 1 << 45])
def test_a_header_is_read_by_others_as_it_was_meant(path: str, size: int) -> None:
    with tarfile.open(fileobj=io.BytesIO(header(path, size) + bytes(1024))) as tar:
        member = tar.next()
    assert member is not None
    assert (member.name, member.size, member.type) == (path, size, tarfile.REGTYPE)
    assert (member.mode, member.mtime, member.uid, member.gid) == (0o644, 0, 0, 0)
    if size < 1000:
        data = header(path, size) + padded(bytes(size)) + bytes(1024)
        [ours] = members(io.BytesIO(data), "archive")
        assert (ours.name, ours.size) == (path.encode(), size)


@pytest.mark.peer("tar")
@pytest.mark.parametrize("path", [SHORT, LONG])
def test_gnu_tar_lists_what_was_written(tmp_path: Path, path: str) -> None:
    archive = tmp_path / "archive.tar"
    folder = path.rpartition("/")[0] + "/"
    content = header(folder, 0, is_folder=True) + header(path, 5) + padded(b"hello")
    archive.write_bytes(content + bytes(1024))
    done = subprocess.run([peer("tar"), "tf", archive], capture_output=True, check=True, text=True)
    assert (done.stdout.split(), done.stderr) == ([folder, path], "")


def test_two_members_of_the_same_content_have_the_same_bytes() -> None:
    assert header(LONG, 8 << 30) == header(LONG, 8 << 30)
    assert len(header(SHORT, 5)) == 512
