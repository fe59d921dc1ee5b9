"""What is written is what every reader of tars reads, the same bytes each time."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.content.store import Store
from pytest_images.layer.changed import Changed
from pytest_images.layer.member import Kind
from pytest_images.layer.tar import members
from pytest_images.layer.writer import Entry, LayerWriter
from pytest_images.model.digest import Digest
from tests.peers import peer


class Memory:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.out = io.BytesIO()

    def write(self, data: bytes | memoryview) -> None:
        self.out.write(data)

    def fileno(self) -> int:
        raise AssertionError("small files are not for the kernel")

    def advance(self, count: int) -> None:
        raise AssertionError("small files are not for the kernel")


def written(*entries: Entry, content: bytes = b"") -> bytes:
    sink = Memory()
    writer = LayerWriter(sink)
    for entry in entries:
        if entry.kind is Kind.FILE:
            writer.add_bytes(entry, content[: entry.size])
        else:
            writer.add(entry)
    writer.finish()
    return sink.out.getvalue()


NAMES = st.binary(min_size=1, max_size=250).filter(
    lambda name: b"\0" not in name and name.strip(b"/.") and b"/" not in name
)


FACTS = st.fixed_dictionaries(
    {
        "mode": st.integers(0, 0o7777),
        "uid": st.integers(0, 2**32 - 2),
        "gid": st.integers(0, 2**32 - 2),
        "mtime": st.integers(-(10**9), 10**11),
        "xattrs": st.dictionaries(st.just("user.x"), st.binary(max_size=300)),
    }
)


@given(name=NAMES, facts=FACTS, content=st.binary(max_size=2000))
def test_a_file_is_read_as_it_was_written(
    name: bytes, facts: dict[str, Any], content: bytes
) -> None:
    entry = Entry(name, Kind.FILE, size=len(content), **facts)
    [found] = [
        {
            "name": member.name,
            "content": member.read(4000),
            "mode": member.mode,
            "uid": member.uid,
            "gid": member.gid,
            "mtime": member.mtime,
            "xattrs": {
                key.decode().removeprefix("SCHILY.xattr."): value
                for key, value in member.records.items()
                if key.startswith(b"SCHILY.")
            },
        }
        for member in members(io.BytesIO(written(entry, content=content)), "a layer")
    ]
    assert found == {"name": name, "content": content, **facts}


@pytest.mark.parametrize("length", [1, 99, 100, 101, 155, 255])
def test_every_kind_is_read_by_python_too(length: int) -> None:
    target = b"t" * length
    raw = written(
        Entry(b"folder", Kind.DIRECTORY, 0o1777),
        Entry(b"n" * length, Kind.SYMLINK, 0o777, linkname=target),
        Entry(b"hard", Kind.HARDLINK, 0o644, linkname=target),
        Entry(b"null", Kind.CHARACTER, 0o666, device=(1, 3)),
        Entry(b"disk", Kind.BLOCK, 0o660, device=(8, 0)),
        Entry(b"pipe", Kind.FIFO, 0o600),
    )
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        folder, link, hard, null, disk, pipe = tar.getmembers()
    assert (folder.isdir(), folder.mode) == (True, 0o1777)
    assert (link.name, link.linkname, link.issym()) == ("n" * length, "t" * length, True)
    assert (hard.linkname, hard.islnk()) == ("t" * length, True)
    assert (null.ischr(), null.devmajor, null.devminor) == (True, 1, 3)
    assert disk.isblk()
    assert pipe.isfifo()


def test_gnu_tar_reads_it_without_a_word(tmp_path: Path) -> None:
    raw = written(
        Entry(b"a/" + b"x" * 150, Kind.FILE, 0o640, 3_000_000, 5, 1000, 3),
        Entry(b"sum-beyond-ascii-\xff\xfe", Kind.FILE, 0o644, size=1),
        content=b"abc",
    )
    path = tmp_path / "layer.tar"
    path.write_bytes(raw)
    done = subprocess.run(
        [peer("tar"), "-tvf", path, "--numeric-owner"], capture_output=True, check=True
    )
    assert done.stderr == b""
    assert b"3000000/5" in done.stdout


def test_a_size_beyond_octal_is_in_a_pax_header() -> None:
    from pytest_images.layer.writer import header

    raw = header(Entry(b"big", Kind.FILE, 0o644, size=9 << 30))
    assert tarfile.TarInfo.frombuf(raw[-512:], "utf-8", "strict").size == 0
    assert b"size=%d\n" % (9 << 30) in raw


def test_a_large_file_goes_by_the_kernel_and_is_hashed(tmp_path: Path) -> None:
    content = bytes(range(256)) * 8192
    source = tmp_path / "file"
    source.write_bytes(content)
    with Store.open(tmp_path / "store") as store, store.ingest() as ingest:
        writer = LayerWriter(ingest)
        with source.open("rb") as file:
            writer.add_file(Entry(b"file", Kind.FILE, 0o644, size=len(content)), file.fileno())
        writer.finish()
        digest = ingest.commit()
        raw = store.read(digest)
    assert digest == Digest.of(raw)
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        found = tar.extractfile("file")
        assert found is not None
        assert found.read() == content


@pytest.mark.parametrize("size", [5, 1 << 20])
def test_a_file_that_became_shorter_is_noticed(tmp_path: Path, size: int) -> None:
    with (
        Store.open(tmp_path / "store") as store,
        store.ingest() as ingest,
        tempfile.TemporaryFile() as file,
    ):
        file.write(b"four")
        file.flush()
        with pytest.raises(Changed):
            LayerWriter(ingest).add_file(Entry(b"f", Kind.FILE, 0o644, size=size), file.fileno())


def test_a_stream_that_ends_early_is_noticed() -> None:
    with pytest.raises(Changed):
        LayerWriter(Memory()).add_stream(Entry(b"f", Kind.FILE, 0, size=5), io.BytesIO(b"four"))
