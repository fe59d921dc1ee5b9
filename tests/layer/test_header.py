from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.layer.header import Malformed, number, verify
from tests.layer.raw import base256, header, signed


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.integers(-(1 << 87), (1 << 87) - 1))
def test_base_256_is_read_as_it_is_written(value: int) -> None:
    assert number(base256(value)) == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"0000644\0", 0o644),
        (b"0000644 ", 0o644),
        (b"   644 \0", 0o644),
        (b"644\0\0\0\0\0", 0o644),
        (b"00000644", 0o644),
        (bytes(8), 0),
    ],
)
def test_octal_is_read_in_all_its_styles(field: bytes, value: int) -> None:
    assert number(field) == value


@pytest.mark.parametrize(
    "field", [b"-000001\0", b"+1\0", b"1_0\0", b"0x10\0", b"8\0", b"1 1\0", b"    "]
)
def test_what_is_not_octal_is_refused(field: bytes) -> None:
    with pytest.raises(Malformed):
        number(field)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.binary(min_size=512, max_size=512))
def test_any_block_with_its_sum_passes_and_with_another_fails(noise: bytes) -> None:
    block = signed(noise)
    verify(block, block[148:156])
    for wrong in (-65521, -1, 1, 65521):
        total = int(block[148:154], 8) + wrong
        if total >= 0:
            field = b"%06o\0 " % total
            if _signed_sum(block) != total:
                with pytest.raises(Malformed):
                    verify(block[:148] + field + block[156:], field)


def _signed_sum(block: bytes) -> int:
    body = block[:148] + block[156:]
    return sum(byte - 256 if byte > 127 else byte for byte in body) + 8 * 32


def test_a_signed_sum_of_old_tars_is_taken() -> None:
    block = header("ä".encode() * 20)
    field = b"%06o\0 " % _signed_sum(block)
    verify(block[:148] + field + block[156:], field)
