"""Archives of hostile headers: the same members as GNU tar lists, or a refusal."""

from __future__ import annotations

import io
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.errors import ImagesError
from pytest_images.layer.tar import members
from tests.layer.raw import END, GNU, USTAR, V7, base256, header, member, padded, record
from tests.peers import peer

ONE_OF = st.sampled_from
numbers = st.one_of(
    ONE_OF([0, 1, 5, 512, 513, 1024]).map(lambda n: b"%011o\0" % n),
    ONE_OF([0, 1, 512, -1, 1 << 40]).map(base256),
    ONE_OF([b" " * 11 + b"\0", b" " * 12, bytes(12), b"\0" + b"1" * 11, b"12 34", b"7" * 12]),
)
keys = ONE_OF([b"path", b"size", b"linkpath", b"uid", b"mtime", b"comment", b"GNU.sparse.name"])
values = ONE_OF([b"p", b"q/r", b"0", b"512", b"5", b"", b"1.5", b"-1"])
tails = ONE_OF([b"", b"", b"\0\0", b"x"])
KINDS = [b"0", b"\0", b"1", b"2", b"3", b"5", b"6", b"7", b"S", b"V", b"D", b"Q", b"M"]


@st.composite
def entries(draw: st.DrawFn) -> bytes:
    """One member with whatever stands before it."""
    kind = draw(st.one_of(ONE_OF([b"0"]), ONE_OF(KINDS), ONE_OF([b"x", b"g", b"X", b"L", b"K"])))
    if kind in (b"x", b"g", b"X"):
        records = draw(st.lists(st.tuples(keys, values), max_size=2))
        data = b"".join(record(key, value) for key, value in records) + draw(tails)
    elif kind in (b"L", b"K"):
        data = draw(ONE_OF([b"long" * 30 + b"\0", b"l", b"ab\0cd", b""]))
    elif kind in (b"0", b"\0", b"7", b"S"):
        data = draw(ONE_OF([b"", b"data", bytes(600), member(b"hidden")]))
    else:
        data = b""
    made = header(
        draw(ONE_OF([b"a", b"b/", b"dir/c", b"../x", b"n" * 100, b"./d", b"e\0junk"])),
        kind,
        draw(numbers) if draw(st.integers(0, 7)) == 0 else len(data),
        draw(ONE_OF([b"", b"t"])),
        magic=draw(ONE_OF([USTAR, GNU, V7])),
        prefix=draw(ONE_OF([b"", b"pre"])),
    )
    return made + padded(data)


@pytest.mark.peer("tar")
@settings(derandomize=True, max_examples=250, deadline=None)
@given(
    st.lists(entries(), min_size=1, max_size=4), ONE_OF([END, END[:512], b"", END + member(b"z")])
)
def test_hostile_headers_are_understood_as_gnu_tar_does_or_refused(
    made: list[bytes], end: bytes
) -> None:
    archive = b"".join(made) + end
    try:
        ours = [each.name.rstrip(b"/") for each in members(io.BytesIO(archive), "archive")]
    except ImagesError:
        return
    command = [peer("tar"), "tf", "-", "-P", "--quoting-style=literal"]
    listing = subprocess.run(command, input=archive, capture_output=True, check=False)
    assert listing.returncode == 0, listing.stderr
    assert ours == [name.rstrip(b"/") for name in listing.stdout.split(b"\n")[:-1]]
