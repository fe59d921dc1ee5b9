from __future__ import annotations

import builtins
import bz2
import contextlib
import gzip
import io
import lzma
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.errors import ImagesError, InvalidArchive, InvalidLayer, LimitExceeded
from pytest_images.layer.compression import ARCHIVES, Compression, decompress, detect
from tests.layer.raw import Dripping
from tests.ledger import Ledger, refused

if TYPE_CHECKING:
    from collections.abc import Callable

COMPRESS: dict[Compression, Callable[[bytes], bytes]] = {
    Compression.NONE: bytes,
    Compression.GZIP: lambda raw: gzip.compress(raw, 1),
    Compression.ZSTD: zstandard.ZstdCompressor(write_checksum=True).compress,
    Compression.XZ: lambda raw: lzma.compress(raw, preset=0),
    Compression.BZIP2: bz2.compress,
}
TEXT = b"some text, " * 5000 + os.urandom(3000)
ALL = list(COMPRESS)


@pytest.fixture(params=["isal", "zlib"])
def inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to inflate gzip: with isal, and where it is not installed."""
    if request.param == "zlib":
        real = builtins.__import__

        def without_isal(name: str, *args: Any, **kwargs: Any) -> Any:
            if name.startswith("isal"):
                raise ImportError(name)
            return real(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", without_isal)
    return str(request.param)


def inflated(raw: bytes, limit: int | None = None, step: int = 1 << 20) -> bytes:
    stream = decompress(Dripping(raw, step), "layer", limit, allowed=ARCHIVES)
    pieces = []
    while piece := stream.read(1 << 16):
        assert len(piece) <= 1 << 16
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("compression", ALL)
@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 20])
def test_a_stream_is_told_by_its_first_bytes_and_inflated(
    compression: Compression, step: int
) -> None:
    raw = COMPRESS[compression](TEXT[-3500:])
    assert detect(raw[:6]) is compression
    assert inflated(raw, step=step) == TEXT[-3500:]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.sampled_from(ALL), st.binary(max_size=3000), st.integers(1, 400))
def test_any_content_in_any_pieces_comes_back(
    compression: Compression, content: bytes, step: int
) -> None:
    raw = COMPRESS[compression](content)
    if detect(raw[:6]) is compression:  # plain content may look compressed
        assert inflated(raw, step=step) == content


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.sampled_from(ALL[1:]), st.integers(0), st.integers(1, 255))
def test_a_changed_byte_is_found(compression: Compression, place: int, change: int) -> None:
    raw = bytearray(COMPRESS[compression](TEXT[-4000:]))
    raw[place % len(raw)] ^= change
    with contextlib.suppress(ImagesError):  # most places: a checksum, a length, a magic
        assert inflated(bytes(raw)) in (TEXT[-4000:], bytes(raw))


@pytest.mark.parametrize("compression", ALL[1:])
def test_a_cut_is_found_wherever_it_is(compression: Compression) -> None:
    raw = COMPRESS[compression](TEXT[-300:])
    for cut in range(6, len(raw)):
        with pytest.raises(InvalidLayer, match=compression.value):
            inflated(raw[:cut])


@pytest.mark.parametrize("compression", ALL[1:])
def test_streams_may_be_concatenated(compression: Compression) -> None:
    compress = COMPRESS[compression]
    assert (
        inflated(compress(b"a") + compress(b"") + compress(b"b" * 70_000)) == b"a" + b"b" * 70_000
    )


@pytest.mark.parametrize("compression", ALL[1:])
def test_garbage_behind_the_end_is_refused(compression: Compression, ledger: Ledger) -> None:
    with refused(InvalidLayer, compression.value, "follows its end"):
        inflated(COMPRESS[compression](TEXT) + b"garbage")


def test_gzip_may_be_padded_with_zeros_and_have_empty_members(inflater: str) -> None:
    raw = gzip.compress(b"") + gzip.compress(b"a") + bytes(700) + gzip.compress(b"b") + bytes(9)
    assert inflated(raw) == b"ab"


def test_gzip_headers_with_all_fields_are_read(inflater: str) -> None:
    deflate = zlib.compressobj(wbits=-15)
    body = deflate.compress(b"x") + deflate.flush()
    head = b"\x1f\x8b\x08\x1c\0\0\0\0\0\xff" + b"\x02\0ab" + b"name\0" + b"comment\0"
    trailer = struct.pack("<II", zlib.crc32(b"x"), 1)
    assert inflated(head + body + trailer) == b"x"


@pytest.mark.parametrize("place", [-8, -5, -4, -1])
def test_a_wrong_gzip_trailer_is_refused(inflater: str, ledger: Ledger, place: int) -> None:
    raw = bytearray(gzip.compress(TEXT))
    raw[place] ^= 1
    with refused(InvalidLayer, "gzip"):
        inflated(bytes(raw))


@pytest.mark.parametrize("compression", ALL[1:])
def test_a_bomb_is_stopped_at_the_limit(compression: Compression, ledger: Ledger) -> None:
    """D05."""
    bomb = COMPRESS[compression](bytes(32 << 20))
    with refused(LimitExceeded, "expanded size", str(1 << 20)):
        inflated(bomb, limit=1 << 20)


def test_a_high_ratio_is_no_reason_to_refuse() -> None:
    assert len(inflated(COMPRESS[Compression.ZSTD](bytes(32 << 20)), limit=32 << 20)) == 32 << 20


def test_a_zstd_window_of_two_gigabytes_is_refused(ledger: Ledger) -> None:
    head = b"\x28\xb5\x2f\xfd\x00" + bytes([21 << 3]) + b"\x01\0\0"
    with refused(InvalidLayer, "window", str(2 << 30)):
        inflated(head)


def test_a_zstd_frame_that_is_its_own_window_is_held_to_the_limit(ledger: Ledger) -> None:
    head = b"\x28\xb5\x2f\xfd\xe0" + (3 << 30).to_bytes(8, "little") + b"\x01\0\0"
    with refused(InvalidLayer, "window", str(3 << 30)):
        inflated(head)


def test_zstd_skippable_frames_are_passed_over() -> None:
    skippable = b"\x52\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"noise"
    frame = COMPRESS[Compression.ZSTD](b"content")
    assert inflated(skippable + frame + skippable) == b"content"


def test_zstd_with_a_dictionary_is_refused(ledger: Ledger) -> None:
    dictionary = zstandard.train_dictionary(2000, [os.urandom(50) * 9 for _ in range(100)])
    raw = zstandard.ZstdCompressor(dict_data=dictionary).compress(TEXT)
    with refused(InvalidLayer, "dictionary"):
        inflated(raw)


def test_an_xz_dictionary_of_a_gigabyte_is_refused(ledger: Ledger) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0}]
    raw = bytearray(lzma.compress(b"x", filters=filters))
    raw[12 + 4] = 36  # the dictionary's size in the block header: 1 GiB
    raw[12 + 8 : 12 + 12] = zlib.crc32(raw[12 : 12 + 8]).to_bytes(4, "little")
    with refused(InvalidLayer, "xz", "memory"):
        inflated(bytes(raw))


@pytest.mark.parametrize("compression", [Compression.XZ, Compression.BZIP2])
def test_layers_are_gzip_zstd_or_plain(compression: Compression) -> None:
    with refused(InvalidLayer, compression.value, "not a compression allowed"):
        decompress(io.BytesIO(COMPRESS[compression](TEXT)), "layer")


def test_an_archive_fails_as_an_archive() -> None:
    with refused(InvalidArchive, "gzip"):
        decompress(io.BytesIO(b"\x1f\x8b???"), "x", failure=InvalidArchive).read()


def test_ten_thousand_members_take_linear_time(ledger: Ledger) -> None:
    assert inflated(gzip.compress(b"") * 10_000) == b""


def test_nothing_is_nothing() -> None:
    assert inflated(b"") == b""
