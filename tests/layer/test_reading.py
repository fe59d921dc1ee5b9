from __future__ import annotations

import os
import random
import threading
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import InvalidLayer, LimitExceeded
from pytest_images.layer import reading
from pytest_images.layer.files import Files
from pytest_images.layer.reading import RESTARTS
from tests.layer.raw import member, padded
from tests.layer.views import COMPRESS, Opened, layer, of_tar

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {f"f{number}": b"%d " % number * number * 40 for number in range(40)}
TAR = layer(*(member(name.encode(), text) for name, text in TEXTS.items()))


def made(tar: bytes, compression: str, scratch: Path) -> tuple[Files, Opened]:
    opened = Opened(COMPRESS[compression](tar))
    return Files([of_tar(tar, compression, scratch, opened)], "app:1"), opened


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("order", ["forward", "backward", "shuffled"])
def test_every_file_is_read_whole_in_any_order(
    compression: str, order: str, tmp_path: Path
) -> None:
    files, opened = made(TAR, compression, tmp_path)
    names = list(TEXTS)[:: -1 if order == "backward" else 1]
    if order == "shuffled":
        random.Random(1).shuffle(names)
    assert {name: (files / name).read_bytes() for name in names} == TEXTS
    assert opened.count <= RESTARTS + 4
    assert list(tmp_path.iterdir()) == []


def test_reading_on_in_the_order_of_the_layer_inflates_it_once(tmp_path: Path) -> None:
    files, opened = made(TAR, "gzip", tmp_path)
    for name in TEXTS:
        (files / name).read_bytes()
    assert opened.count == 2  # one look at how it is compressed, one pass


def test_without_room_for_a_copy_it_is_inflated_again(tmp_path: Path) -> None:
    files, _ = made(TAR, "gzip", tmp_path / "missing")
    for name in reversed(TEXTS):
        assert (files / name).read_bytes() == TEXTS[name]


@pytest.mark.parametrize("compression", COMPRESS)
def test_streams_of_one_layer_do_not_disturb_each_other(compression: str, tmp_path: Path) -> None:
    files, _ = made(TAR, compression, tmp_path)
    with (files / "f30").open("rb") as one, (files / "f7").open("rb") as other:
        start = one.read(100)
        assert other.read() == TEXTS["f7"]
        assert start + one.read() == TEXTS["f30"]


def test_threads_may_read_at_once(tmp_path: Path) -> None:
    files, _ = made(TAR, "gzip", tmp_path)
    wrong: list[str] = []

    def read(seed: int) -> None:
        names = list(TEXTS)
        random.Random(seed).shuffle(names)
        wrong.extend(name for name in names if (files / name).read_bytes() != TEXTS[name])

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_forked_child_does_not_disturb_its_parent(tmp_path: Path) -> None:
    files, _ = made(TAR, "gzip", tmp_path)
    assert (files / "f5").read_bytes() == TEXTS["f5"]
    child = os.fork()
    if not child:
        os._exit((files / "f20").read_bytes() != TEXTS["f20"])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (files / "f30").read_bytes() == TEXTS["f30"]


@pytest.mark.parametrize("compression", COMPRESS)
def test_holes_of_a_sparse_file_are_zeros(compression: str, tmp_path: Path) -> None:
    from tests.layer.raw import pax

    records = {"GNU_sparse_major": b"0", "GNU_sparse_map": b"4,2,10,1", "GNU_sparse_size": b"12"}
    tar = layer(member(b"a", b"first"), pax(**records), member(b"holes", b"xyz"))
    files, _ = made(tar, compression, tmp_path)
    assert (files / "holes").read_bytes() == b"\0\0\0\0xy\0\0\0\0z\0"
    assert (files / "holes").stat().size == 12
    assert (files / "a").read_bytes() == b"first"


def test_a_file_too_large_for_memory_is_to_be_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BYTES_LIMIT", 100)
    files, _ = made(TAR, "gzip", tmp_path)
    with pytest.raises(LimitExceeded, match="file size") as raised:
        (files / "f30").read_bytes()
    assert "open('rb')" in raised.value.__notes__[0]
    with (files / "f30").open("rb") as stream:
        assert stream.read() == TEXTS["f30"]


@pytest.mark.parametrize("compression", ["plain", "zstd"])
def test_a_blob_that_was_cut_meanwhile_is_an_error(compression: str, tmp_path: Path) -> None:
    kept = Opened(COMPRESS[compression](padded(TAR[:2000])))
    files = Files([of_tar(TAR, compression, tmp_path, kept)], "app:1")
    with pytest.raises(InvalidLayer):
        (files / "f39").read_bytes()
    with pytest.raises(InvalidLayer), (files / "f39").open("rb") as stream:
        stream.read()


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_who_opens_file_after_file_has_the_layer_inflated_a_few_times(compression: str) -> None:
    tar = layer(*(member(b"%03d" % number, b"content %03d" % number) for number in range(50)))
    opened = Opened(COMPRESS[compression](tar))
    files = Files([of_tar(tar, compression, opened=opened)], "app:1")
    for number in [*range(50), 7, 3]:
        with (files / f"{number:03}").open("rb") as stream:
            assert stream.read() == b"content %03d" % number
    assert opened.count <= RESTARTS + 2


@pytest.mark.parametrize("compression", ["plain", "gzip"])
def test_streams_of_one_layer_stand_each_where_it_was_read_to(compression: str) -> None:
    tar = layer(member(b"a", b"A" * 200_000 + b"a"), member(b"b", b"B" * 200_000 + b"b"))
    files = Files([of_tar(tar, compression)], "app:1")
    streams = [(files / name).open("rb") for name in "abababab"]
    starts = [stream.read(150_000) for stream in streams]
    assert starts == [b"A" * 150_000, b"B" * 150_000] * 4
    assert [stream.read()[-3:] for stream in streams] == [b"AAa", b"BBb"] * 4
    for stream in streams:
        stream.close()
