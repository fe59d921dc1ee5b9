from __future__ import annotations

import gzip
import io
import random
import sys

import pytest

from pytest_images.layer.packing import pack

CONTENT = random.Random(1).randbytes(3 << 20) + b"text " * 1_000_000


class Sink(io.BytesIO):
    def write(self, data: bytes | memoryview) -> None:  # type: ignore[override]
        super().write(data)


class Dripping(io.BytesIO):
    """A stream that gives less than it is asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 1, 7919))


def packed(stream: io.BytesIO) -> bytes:
    sink = Sink()
    pack(stream, sink)
    return sink.getvalue()


@pytest.mark.parametrize("content", [b"", b"x", CONTENT], ids=["empty", "one", "large"])
def test_what_is_packed_comes_back(content: bytes) -> None:
    assert gzip.decompress(packed(io.BytesIO(content))) == content


def test_the_same_content_gives_the_same_bytes_however_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = packed(io.BytesIO(CONTENT))
    assert first[4:8] == bytes(4)  # no time
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert packed(Dripping(CONTENT)) == first


def test_there_is_a_way_without_isal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal", None)
    found = packed(io.BytesIO(CONTENT))
    assert gzip.decompress(found) == CONTENT
    assert found[4:8] == bytes(4)
