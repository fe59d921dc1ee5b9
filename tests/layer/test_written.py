"""What a writer notes is what a reader of the layer lists, to the last fact."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.layer import writer as writing
from pytest_images.layer.contents import Contents
from pytest_images.layer.measure import measure
from pytest_images.layer.member import Kind
from pytest_images.layer.stored import stored
from pytest_images.layer.writer import Entry, LayerWriter
from pytest_images.layer.written import contents_of
from tests.layer.test_writer import FACTS, NAMES, Memory

KINDS = st.sampled_from([*Kind, Kind.FILE, Kind.FILE])
MEMBERS = st.lists(st.tuples(KINDS, st.lists(NAMES, min_size=1), FACTS, st.binary(max_size=2000)))


def write(writer: LayerWriter, kind: Kind, name: bytes, facts: dict[str, Any], data: bytes) -> None:
    match kind:
        case Kind.FILE if not facts["xattrs"]:
            writer.add_plain(name, facts["mode"], facts["uid"], facts["gid"], facts["mtime"], data)
        case Kind.FILE if len(data) % 2:
            writer.add_bytes(Entry(name, kind, size=len(data), **facts), data)
        case Kind.FILE:
            entry = Entry(name, kind, size=len(data), **facts)
            writer.add_stream(entry, io.BytesIO(data))
        case Kind.HARDLINK | Kind.SYMLINK:
            writer.add(Entry(name, kind, linkname=data.replace(b"\0", b"") or b"x", **facts))
        case Kind.CHARACTER | Kind.BLOCK:
            writer.add(Entry(name, kind, device=(len(data), 3), **facts))
        case _:
            writer.add(Entry(name, kind, **facts))


def listed(tar: bytes) -> bytes:
    contents = Contents("layer")
    measure(io.BytesIO(tar), "layer", None, visit=contents.add)
    return stored(contents)


@given(MEMBERS)
def test_it_is_as_read(members: list[tuple[Kind, list[bytes], dict[str, Any], bytes]]) -> None:
    sink = Memory()
    writer = LayerWriter(sink)
    for kind, names, facts, data in members:
        write(writer, kind, b"/".join(names), facts, data)
    writer.finish()
    assert writer.noted is not None
    assert stored(contents_of(writer.noted, "layer")) == listed(sink.out.getvalue())


def test_it_is_as_read_wherever_pieces_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_BUFFER", 2000)
    sink = Memory()
    writer = LayerWriter(sink)
    for number in range(20):
        writer.add_plain(b"%d" % number, 0o644, 0, 0, 0, bytes(number * 100))
        entry = Entry(b"stream%d" % number, Kind.FILE, 0o644, size=number * 300)
        writer.add_stream(entry, io.BytesIO(bytes(number * 300)))
    writer.finish()
    assert writer.noted is not None
    assert stored(contents_of(writer.noted, "layer")) == listed(sink.out.getvalue())


def test_too_much_is_not_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MOST", 3)
    writer = LayerWriter(Memory())
    for number in range(4):
        writer.add_plain(b"%d" % number, 0o644, 0, 0, 0, b"")
    writer.finish()
    assert writer.noted is None
