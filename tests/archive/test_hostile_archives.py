"""Archives that lie, and layers that attack: refused with the store as it was, or harmless.

The rows are those of the catalogue of faults: T for members of a tar, D for digests.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from pytest_images.archive.load import load_archive
from pytest_images.errors import (
    DigestMismatch,
    ImagesError,
    InvalidArchive,
    InvalidLayer,
    LimitExceeded,
    SizeMismatch,
)
from pytest_images.testing import samples
from tests.archive.packed import dump, packed
from tests.layer.raw import END, GNU, base256, header, member, pax, signed
from tests.ledger import MEMORY_LIMIT, TIME_LIMIT, peak_memory

if TYPE_CHECKING:
    from pathlib import Path

    from tests.archive.conftest import Loading

ONE = samples.image("one", layers=2)
BOTH = ONE.archive("app:1", form="docker")


def holding(layer: bytes, diff_id: str = "", **changes: object) -> bytes:
    """Return a Docker archive of one image with *layer*, whose tar has the digest *diff_id*."""
    digest = diff_id or hashlib.sha256(layer).hexdigest()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    entry = {"Config": "c.json", "RepoTags": ["app:1"], "Layers": ["l.tar"], **changes}
    return packed({"c.json": dump(config), "manifest.json": dump([entry]), "l.tar": layer})


# What each layer of the catalogue comes to: the words of its refusal, or none where it loads.
LAYERS: dict[str, tuple[bytes, str]] = {
    "T01 a name that climbs out": (member(b"../x", b"x"), "leaves the root"),
    "T01 a name that climbs out later": (member(b"a/../../x", b"x"), "leaves the root"),
    "T01 an absolute name": (member(b"/etc/x", b"x"), ""),
    "T01 two slashes": (member(b"//x", b"x"), ""),
    "T01 the root as a file": (member(b".", b"x"), "replace the root"),
    "T01 only slashes, a folder then": (member(b"///"), ""),
    "T02 a link out, a file through it": (
        header(b"l", b"2", link=b"/etc") + member(b"l/x", b"x"),
        "",
    ),
    "T04 the root as a link": (header(b"/.", b"2", link=b"/tmp"), "replace the root"),
    "T05 a hard link to the outside": (header(b"h", b"1", link=b"../x"), "leaves the root"),
    "T05 a hard link to the root": (header(b"h", b"1", link=b"/"), "hard link to the root"),
    "T05 an absolute hard link": (member(b"a", b"x") + header(b"h", b"1", link=b"/a"), ""),
    "T06 an absolute link as in real images": (
        header(b"var/run", b"2", link=b"/run") + member(b"var/run/x", b"x"),
        "",
    ),
    "T07 a folder, a file and a link of one name": (
        header(b"a", b"5")
        + member(b"a/b", b"x")
        + member(b"a", b"y")
        + header(b"a", b"2", link=b"b"),
        "",
    ),
    "T09 devices and a FIFO": (
        header(b"c", b"3") + header(b"b", b"4") + header(b"f", b"6"),
        "",
    ),
    "T12 a whiteout of nothing": (member(b"d/.wh."), "whiteout"),
    "T12 a whiteout of the folder above": (member(b".wh..."), "whiteout"),
    "T12 an opaque folder": (member(b"d/.wh..wh..opq"), ""),
    "T13 a pax path over a long name": (
        member(b"@", b"long\0", b"L", magic=GNU) + pax(path=b"x") + member(b"a"),
        "",
    ),
    "T14 an extension header of 8 GiB": (header(b"x", b"x", size=base256(8 << 30)), "header"),
    "T15 a negative size": (header(b"a", size=base256(-512)), "size"),
    "T15 a size that nothing has": (header(b"a", size=base256(1 << 80)), "size"),
    "T16 a part of 256 bytes": (pax(path=b"n" * 256) + member(b"a"), "255"),
    "T16 a path of 4097 bytes": (pax(path=b"d/" * 2048 + b"n") + member(b"a"), "4096"),
    "T17 a sparse file of 8 EiB": (
        pax(**{"GNU.sparse.major": b"1", "GNU.sparse.minor": b"0"})
        + member(b"s", b"0\n".ljust(512, b"\0")),
        "",
    ),
    "T19 an owner that nobody is": (header(b"a", uid=base256(1 << 32, 8)), "owner"),
    "T20 a name with a line end": (member(b"a\nb", b"x"), ""),
    "T20 a NUL in a pax path": (pax(path=b"a\0b") + member(b"a"), "NUL"),
    "T24 one zero block, then more": (member(b"a") + bytes(512) + member(b"b"), ""),
}


@pytest.mark.parametrize("case", LAYERS)
@pytest.mark.parametrize("form", ["plain", "gzip"])
def test_a_layer_of_the_catalogue_is_refused_or_harmless(
    load: Loading, case: str, form: str
) -> None:
    tar, words = LAYERS[case]
    tar += END
    stored = gzip.compress(tar) if form == "gzip" else tar
    archive = holding(stored, hashlib.sha256(tar).hexdigest())
    if words:
        with load.refused(ImagesError, "l.tar", words):
            load(archive)
    else:
        try:
            (found,) = load(archive)
        except InvalidLayer:  # what readers understand differently may be refused too
            assert case.startswith(("T13", "T17", "T24"))
        else:
            assert found.config.diff_ids[0].encoded == hashlib.sha256(tar).hexdigest()


@pytest.mark.parametrize("step", range(8))
def test_one_bit_flipped_anywhere_gives_a_refusal_or_the_same_image(
    load: Loading, step: int
) -> None:
    """Row D01: what is not covered by a digest is padding, times and owners."""
    refusals = 0
    for place in range(step * 37, len(BOTH), 8 * 37):
        before = load.content()
        flipped = bytearray(BOTH)
        flipped[place] ^= 1 << (place % 8)
        try:
            found = load(bytes(flipped))
        except ImagesError:
            refusals += 1
            assert load.content() == before
        else:
            assert [each.config.raw for each in found] == [ONE.config.raw]
            assert [each.manifest.raw for each in found] == [ONE.manifest.raw]
    assert refusals > 10


def _resized(archive: bytes, size: int | bytes, number: int = 2) -> bytes:
    """Return *archive* with another size in the header of its member *number*."""
    at = 0
    for _ in range(number):
        length = int(archive[at + 124 : at + 135], 8)
        at += 512 + -(-length // 512) * 512
    field = size if isinstance(size, bytes) else b"%011o\0" % size
    block = signed(archive[at : at + 124] + field + archive[at + 136 : at + 512])
    return archive[:at] + block + archive[at + 512 :]


@pytest.mark.parametrize(
    "size",
    [0, 1, 600, 100_000, 8 << 30, base256(1 << 40), base256(-1), base256(1 << 80)],
    ids=str,
)
def test_a_member_that_lies_about_its_size_is_refused(load: Loading, size: int | bytes) -> None:
    with load.refused(ImagesError):
        load(_resized(BOTH, size))


@pytest.mark.parametrize("size", [0, 1, 999, 1 << 40])
def test_a_descriptor_that_lies_about_its_size_is_refused(load: Loading, size: int) -> None:
    layer = ONE.layers[0]
    document = ONE.manifest.raw.replace(b'"size":%d' % len(layer), b'"size":%d' % size, 1)
    if document == ONE.manifest.raw:
        document = ONE.manifest.raw.replace(b'"size": %d' % len(layer), b'"size": %d' % size, 1)
    assert document != ONE.manifest.raw
    digest = hashlib.sha256(document).hexdigest()
    entry = {
        "mediaType": ONE.manifest.media_type,
        "digest": f"sha256:{digest}",
        "size": len(document),
    }
    files = {f"blobs/sha256/{d.encoded}": raw for d, raw in ONE.blobs.items()}
    files[f"blobs/sha256/{digest}"] = document
    files["index.json"] = dump({"schemaVersion": 2, "manifests": [entry]})
    with load.refused(ImagesError):
        load(packed(files))


def test_a_diff_id_that_is_not_the_layers_is_refused(load: Loading) -> None:
    with load.refused(DigestMismatch, "unpacked"):
        load(holding(gzip.compress(ONE.tars[0]), "0" * 64))


class Repeated:
    """A stream of one block, very often: nothing of it is ever in memory."""

    def __init__(self, block: bytes, count: int) -> None:
        self._block, self._left = block, count * len(block)

    def read(self, size: int) -> bytes:
        count = min(size, self._left)
        at = -self._left % len(self._block)
        self._left -= count
        return (self._block * (count // len(self._block) + 2))[at : at + count]


def test_a_million_members_of_an_archive_are_refused_in_time(load: Loading) -> None:
    before, memory, started = load.content(), peak_memory(), time.process_time()
    with pytest.raises(LimitExceeded, match="members"), load.store.lease() as lease:
        stream = Repeated(header(b"empty"), 1_000_000)
        load_archive(stream, "archive", load.store, lease)  # type: ignore[arg-type] # it reads
    assert time.process_time() - started < TIME_LIMIT
    assert peak_memory() - memory < MEMORY_LIMIT
    assert load.content() == before


def _layer_of(count: int) -> tuple[bytes, str]:
    """Return a gzip layer of *count* empty files, and the digest of its tar."""
    tar = b"".join(header(b"d/%d" % number) for number in range(count)) + END
    return gzip.compress(tar, 1), hashlib.sha256(tar).hexdigest()


def test_members_of_a_layer_take_linear_time_and_no_memory(load: Loading) -> None:
    took = []
    memory = 0
    for count in (10_000, 80_000):
        archive = holding(*_layer_of(count))
        memory = peak_memory()
        started = time.process_time()
        load(archive)
        took.append(time.process_time() - started)
    assert took[1] < took[0] * 8 * 3, "eight times the members take eight times the time"
    assert peak_memory() - memory < 20 << 20


def test_a_file_that_shrinks_while_it_is_read_is_refused(load: Loading, tmp_path: Path) -> None:
    """Row T25."""
    path = tmp_path / "archive.tar"
    path.write_bytes(samples.image("large", size=3 << 20).archive("app:1"))

    class Shrinks:
        def __init__(self) -> None:
            self._file = path.open("rb")

        def read(self, size: int) -> bytes:
            piece = self._file.read(min(size, 100_000))
            if self._file.tell() > 1 << 20:
                os.truncate(path, 1 << 20)
            return piece

        def close(self) -> None:
            self._file.close()

    stream = Shrinks()
    with load.refused(InvalidArchive, "end"), load.store.lease() as lease:
        load_archive(stream, "archive", load.store, lease)  # type: ignore[arg-type] # it reads
    stream.close()


def test_sizes_that_disagree_are_named(load: Loading) -> None:
    files = {f"blobs/sha256/{d.encoded}": raw for d, raw in ONE.blobs.items()}
    entry = {
        "mediaType": ONE.manifest.media_type,
        "digest": str(ONE.manifest.digest),
        "size": len(ONE.manifest.raw) + 1,
    }
    files["index.json"] = dump({"schemaVersion": 2, "manifests": [entry]})
    with load.refused(SizeMismatch, str(len(ONE.manifest.raw) + 1)):
        load(packed(files))
