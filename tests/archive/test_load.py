from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import resource
import subprocess
import sys
import tarfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard

from pytest_images.archive.load import load_archive
from pytest_images.errors import ImagesError, InvalidArchive, InvalidLayer, LimitExceeded
from pytest_images.model.digest import Digest
from pytest_images.testing import samples
from tests.archive.packed import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.archive.conftest import Loading

ONE = samples.image("one", layers=2, size=3000)
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "gzip in members": lambda raw: gzip.compress(raw[:999]) + gzip.compress(raw[999:]) + bytes(9),
}


@pytest.mark.parametrize("form", ["oci", "docker", "docker-old"])
@pytest.mark.parametrize("compression", COMPRESS)
def test_archives_come_in_any_form_and_compression(
    load: Loading, form: str, compression: str
) -> None:
    (found,) = load(COMPRESS[compression](ONE.archive("app:1", form=form)))
    assert found.config == ONE.config
    assert [name.familiar for name in found.references] == ["app:1"]


@pytest.mark.parametrize("form", ["oci", "docker-old"])
def test_a_pipe_is_read_in_one_pass(load: Loading, form: str) -> None:
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb") as out:
            out.write(ONE.archive("app:1", form=form))

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reader, "rb") as stream, load.store.lease() as lease:
        (found,) = load_archive(stream, "pipe", load.store, lease)
        assert not stream.closed
    thread.join()
    assert found.config == ONE.config


def test_a_pipe_that_stalls_is_refused(load: Loading) -> None:
    reader, writer = os.pipe()
    os.write(writer, ONE.archive("app:1")[:4000])
    with (
        os.fdopen(reader, "rb") as stream,
        os.fdopen(writer, "wb"),
        load.refused(InvalidArchive, "nothing arrived"),
        load.store.lease() as lease,
    ):
        load_archive(stream, "pipe", load.store, lease, stall_limit=0.05)


@pytest.mark.parametrize("form", ["oci", "docker", "docker-old"])
def test_an_archive_cut_at_any_block_is_refused_or_whole(load: Loading, form: str) -> None:
    archive = samples.image("tiny", size=10).archive("app:1", form=form)
    whole = load(archive)
    outcomes = []
    for cut in range(0, len(archive), 512):
        before = load.content()
        try:
            outcomes.append(load(archive[:cut]) == whole)
        except ImagesError:
            assert load.content() == before
    assert all(outcomes)


@pytest.mark.parametrize("cut", [1, 100, 511, 700, 1025, 5000])
def test_an_archive_cut_inside_a_block_is_refused(load: Loading, cut: int) -> None:
    with load.refused(InvalidArchive):
        load(ONE.archive("app:1")[:cut])


def test_what_follows_the_end_of_an_archive_is_not_read(load: Loading) -> None:
    other = samples.image("other").archive("app:1")
    (found,) = load(ONE.archive("app:1") + other)
    assert found.config == ONE.config


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"x", "the archive ends inside a header"),
        (b"GET / HTTP/1.1\r\n" * 100, "it is not a tar archive"),
        (bytes(10240), "it is empty"),
    ],
)
def test_what_is_no_archive_is_refused(load: Loading, content: bytes, reason: str) -> None:
    with load.refused(InvalidArchive, reason):
        load(content)


def test_a_root_file_system_is_told_from_an_image(load: Loading) -> None:
    with pytest.raises(InvalidArchive, match="neither") as caught:
        load(ONE.tars[0])
    assert "import" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("damage", ["gzip", "zstd", "xz", "bzip2"])
def test_a_compressed_archive_that_is_cut_is_refused(load: Loading, damage: str) -> None:
    with load.refused(InvalidArchive, damage):
        load(COMPRESS[damage](ONE.archive("app:1"))[:-20])


def test_the_expansion_of_an_archive_is_limited(load: Loading) -> None:
    bomb = gzip.compress(bytes(64 << 20))
    with load.refused(LimitExceeded, "expanded", str(1 << 20)):
        load(bomb, limit=1 << 20)


def test_the_expansion_of_a_layer_is_limited(load: Loading) -> None:
    layer = gzip.compress(bytes(64 << 20))
    files = {"a.tar": layer, "c": ONE.config.raw}
    files["manifest.json"] = b'[{"Config":"c","Layers":["a.tar","a.tar"]}]'
    with load.refused(LimitExceeded, "a.tar", "expanded"):
        load(packed(files), limit=1 << 20)


def test_a_broken_layer_is_named_with_its_member(load: Loading) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../escape"))
    files = {"a.tar": out.getvalue(), "c": ONE.config.raw}
    files["manifest.json"] = b'[{"Config":"c","Layers":["a.tar","a.tar"]}]'
    with load.refused(InvalidLayer, "a.tar", "../escape", "leaves the root"):
        load(packed(files))


def test_hundreds_of_layers_do_not_use_up_descriptors(load: Loading) -> None:
    from pytest_images.archive.intake import MEMORY_LIMIT

    many = samples.image("many", layers=150, size=MEMORY_LIMIT + 1, compression="none")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
    with contextlib.ExitStack() as gaps:  # between those of other tests, which would count too
        while (last := os.dup(0)) < highest:
            gaps.callback(os.close, last)
        os.close(last)
        resource.setrlimit(resource.RLIMIT_NOFILE, (last + 90, limits[1]))
        try:
            (found,) = load(many.archive("app:1"))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(found.manifest.layers) == 150


def test_a_large_member_that_no_image_uses_is_dropped(load: Loading) -> None:
    junk = os.urandom(200_000)
    files = {**unpacked(ONE.archive("app:1")), "junk": junk}
    load(packed(files))
    assert not load.store.has(Digest.of(junk))


def test_a_damaged_blob_in_the_store_is_replaced(load: Loading) -> None:
    load(ONE.archive("app:1"))
    path = load.store.path(ONE.manifest.layers[0].digest)
    path.write_bytes(b"damaged")
    load(ONE.archive("app:1"))
    assert path.read_bytes() == ONE.layers[0]


SCRIPT = """
import resource, sys
from pathlib import Path
from pytest_images.archive.load import load_archive
from pytest_images.content.durability import Durability
from pytest_images.content.store import Store

with Store.open(Path(sys.argv[1]), durability=Durability.FAST) as store, store.lease() as lease:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    load_archive(Path(sys.argv[2]), "archive", store, lease)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_memory_does_not_grow_with_the_archive(tmp_path: Path, compression: str) -> None:
    sample = samples.image("big", size=64 << 20, compression=compression)
    archive = tmp_path / "archive.tar"
    archive.write_bytes(sample.archive("big:1"))
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "store"), str(archive)]
    grown = int(subprocess.run(command, capture_output=True, check=True, text=True).stdout) << 10
    assert grown < 40 << 20
