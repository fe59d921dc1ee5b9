from __future__ import annotations

import contextlib
import io
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.errors import InvalidArchive, InvalidLayer, LimitExceeded
from pytest_images.layer.member import Kind
from pytest_images.layer.tar import members
from tests.layer import raw
from tests.layer.raw import END, GNU, V7, base256, header, member, pax, read
from tests.ledger import Ledger, refused
from tests.peers import peer

if TYPE_CHECKING:
    from pathlib import Path

FILE = member(b"a", b"data") + END

names = st.lists(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=40
    )
    .map(lambda part: part.encode()[:255].decode("utf-8", "ignore"))
    .filter(lambda part: part not in ("", ".", "..")),
    min_size=1,
    max_size=6,
).map("/".join)


@st.composite
def archives(draw: st.DrawFn) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """An archive by the standard library, in any of its formats, and what is in it."""
    out, expected = io.BytesIO(), []
    form = draw(st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name in draw(st.lists(names, max_size=6)):
            info = tarfile.TarInfo(name)
            info.type = draw(
                st.sampled_from(
                    [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE]
                )
            )
            info.linkname = draw(names) if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            info.uid = draw(st.integers(0, (1 << 32) - 2))
            info.mtime = draw(st.integers(0, 1 << 35))
            data = draw(st.binary(max_size=1500)) if info.isreg() else b""
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
            expected.append((name.encode(), data))
    return out.getvalue(), expected


@settings(derandomize=True, max_examples=80, deadline=None)
@given(archives(), st.integers(1, 2000))
def test_what_tarfile_writes_is_read_back_from_any_pieces(
    archive: tuple[bytes, list[tuple[bytes, bytes]]], step: int
) -> None:
    written, expected = archive
    stream = raw.Dripping(written, step)
    found = [(each.name.rstrip(b"/"), raw.content(each)) for each in members(stream, "archive")]
    assert found == expected


@settings(derandomize=True, max_examples=60, deadline=None)
@given(archives(), st.integers(0, 1 << 14), st.integers(1, 255))
def test_a_changed_byte_gives_members_or_a_refusal_and_nothing_else(
    archive: tuple[bytes, list[tuple[bytes, bytes]]], place: int, change: int
) -> None:
    damaged = bytearray(archive[0])
    damaged[place % len(damaged)] ^= change
    with contextlib.suppress(InvalidLayer, LimitExceeded):
        read(bytes(damaged))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=2048))
def test_noise_is_refused_or_empty(noise: bytes) -> None:
    try:
        assert read(noise) == []
    except (InvalidLayer, LimitExceeded):
        assert noise.strip(b"\0") or len(noise) % 512


@pytest.mark.peer("tar")
@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "pax"])
def test_the_members_are_those_that_gnu_tar_lists(tmp_path: Path, form: str) -> None:
    folder = tmp_path / "tree"
    long = folder / "/".join(["sub"] * 8)
    long.mkdir(parents=True)
    (long / "file").write_bytes(b"x" * 1000)
    (long / "hard").hardlink_to(long / "file")
    (long / "link").symlink_to("file")
    if form in ("oldgnu", "gnu", "pax"):
        (folder / ("n" * 200)).write_bytes(b"y")
        (folder / "lang").symlink_to("/" + "t" * 150)
        with (folder / "sparse").open("wb") as file:
            file.write(b"start")
            file.seek(1 << 20)
            file.write(b"end")
            file.truncate(2 << 20)
    holes = [] if form in ("v7", "ustar") else ["-S"]
    made = subprocess.run(
        [peer("tar"), f"--format={form}", *holes, "-cf", "-", "-C", tmp_path, "tree"],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert _listing(made) == _gnu_listing(made)


def _listing(archive: bytes) -> list[str]:
    shapes = {Kind.FILE: "-", Kind.HARDLINK: "h", Kind.SYMLINK: "l", Kind.DIRECTORY: "d"}
    return [
        f"{shapes[each.kind]} {each.size} {each.text} {each.linkname.decode()}"
        for each in members(io.BytesIO(archive), "archive")
    ]


def _gnu_listing(archive: bytes) -> list[str]:
    command = [peer("tar"), "tvf", "-", "--numeric-owner", "--quoting-style=literal"]
    lines = subprocess.run(command, input=archive, capture_output=True, check=True).stdout.decode()
    found = []
    for line in lines.splitlines():
        mode, _, size, _, _, rest = line.split(maxsplit=5)
        separator = " link to " if mode[0] == "h" else " -> "
        name, _, link = rest.partition(separator)
        found.append(f"{mode[0]} {size} {name} {link}")
    return found


def test_every_field_is_read() -> None:
    made = header(b"dev", b"3", uid=7, mtime=99) + END
    (each,) = members(io.BytesIO(made), "archive")
    assert (each.kind, each.mode, each.uid, each.gid, each.mtime) == (
        Kind.CHARACTER,
        0o644,
        7,
        0,
        99,
    )
    assert (each.user, each.group, each.device) == (b"user", b"group", (1, 2))


def test_a_prefix_belongs_to_the_posix_format_alone() -> None:
    posix = header(b"name", prefix=b"folder") + END
    old = header(b"name", prefix=b"folder", magic=V7) + END
    assert read(posix) == [(b"folder/name", b"")]
    assert read(old) == [(b"name", b"")]


def test_numbers_in_base_256_are_read() -> None:
    made = header(b"a", size=base256(4), uid=base256(70000, 8), mtime=base256(-5)) + raw.padded(
        b"data"
    )
    (each,) = members(io.BytesIO(made + END), "archive")
    assert (each.size, each.uid, each.mtime) == (4, 70000, -5)


def test_a_pax_size_decides_where_a_member_ends() -> None:
    hidden = member(b"hidden", b"")
    made = pax(size=b"512") + header(b"a", size=0) + hidden + member(b"b") + END
    assert [name for name, _ in read(made)] == [b"a", b"b"]


def test_pax_records_replace_what_the_header_says() -> None:
    records = pax(path=b"long/name", uid=b"4000000", mtime=b"1.5", uname=b"someone")
    (each,) = members(io.BytesIO(records + member(b"short") + END), "archive")
    assert (each.name, each.uid, each.mtime, each.user) == (b"long/name", 4000000, 1.5, b"someone")


def test_global_records_hold_until_local_ones() -> None:
    made = pax(b"g", uid=b"5", comment=b"x") + member(b"a") + pax(uid=b"6") + member(b"b") + END
    assert [each.uid for each in members(io.BytesIO(made), "archive")] == [5, 6]


def test_gnu_long_names_and_links_are_read() -> None:
    made = member(b"././@LongLink", b"n" * 150 + b"\0", b"L", magic=GNU)
    made += member(b"././@LongLink", b"t" * 150 + b"\0", b"K", magic=GNU)
    made += header(b"n", b"2", link=b"t", magic=GNU) + END
    (each,) = members(io.BytesIO(made), "archive")
    assert (each.name, each.linkname) == (b"n" * 150, b"t" * 150)


def test_what_follows_the_end_is_drained_and_not_read() -> None:
    stream = io.BytesIO(FILE + member(b"after", b"x" * 3000))
    assert [each.name for each in members(stream, "archive")] == [b"a"]
    assert stream.read() == b""


@pytest.mark.parametrize("end", [b"", bytes(512), bytes(1024), bytes(10240)])
def test_an_archive_may_end_in_any_number_of_zero_blocks(end: bytes) -> None:
    assert read(member(b"a", b"data") + end) == [(b"a", b"data")]


def test_a_cut_inside_a_member_is_refused_wherever_it_is() -> None:
    for cut in range(1, len(FILE) - len(END)):
        with pytest.raises(InvalidLayer, match="ends inside"):
            read(FILE[:cut])


SPARSE_1_0 = pax(
    GNU_sparse_major=b"1", GNU_sparse_minor=b"0", GNU_sparse_name=b"s", GNU_sparse_realsize=b"20"
)


def test_sparse_files_of_format_1_0_read_as_they_are() -> None:
    stored = raw.padded(b"2\n2\n3\n10\n2\n") + b"abcde"
    made = SPARSE_1_0 + member(b"GNUSparseFile.0/s", stored) + END
    assert read(made) == [(b"s", b"\0\0abc" + bytes(5) + b"de" + bytes(8))]


def test_sparse_files_of_format_0_1_read_as_they_are() -> None:
    records = pax(GNU_sparse_size=b"6", GNU_sparse_numblocks=b"1", GNU_sparse_map=b"4,2")
    assert read(records + member(b"s", b"ab") + END) == [(b"s", b"\0\0\0\0ab")]


def test_old_sparse_files_read_as_they_are() -> None:
    entries = b"".join(b"%011o\0" % n for n in (1, 2, 5, 1)).ljust(96, b"\0")
    tail = (bytes(41) + entries + b"\0" + b"%011o\0" % 8).ljust(167, b"\0")
    made = header(b"s", b"S", 3, magic=GNU, prefix=tail) + raw.padded(b"abc") + END
    assert read(made) == [(b"s", b"\0ab\0\0c\0\0")]


CASES = {
    "T13 pax path over a GNU long name": (
        member(b"L", b"one\0", b"L") + pax(path=b"two") + member(b"a"),
        ["differ", "(a,"],
    ),
    "T13 global path": (pax(b"g", path=b"x") + member(b"a"), ["global", "path"]),
    "T13 global size": (pax(b"g", size=b"512") + member(b"a"), ["global", "size"]),
    "T13 two pax headers": (pax(path=b"x") + pax(path=b"y") + member(b"a"), ["two pax"]),
    "T13 symlink with a size": (header(b"a", b"2", 512, b"t") + bytes(512), ["symlink has a size"]),
    "T13 directory with a pax size": (pax(size=b"512") + header(b"d", b"5"), ["pax size"]),
    "T14 pax header of 8 GiB": (header(b"x", b"x", size=base256(8 << 30)), ["extension header"]),
    "T14 record of length 0": (member(b"x", b"0 a=b\n", b"x"), ["wrong length"]),
    "T14 negative record length": (member(b"x", b"-9 a=b\n", b"x"), ["no length"]),
    "T14 record length not a number": (member(b"x", b"seven a=b\n", b"x"), ["no length"]),
    "T14 record length too long": (member(b"x", b"99 a=b\n", b"x"), ["wrong length"]),
    "T14 header after nothing": (pax(path=b"x") + END, ["after an extension header"]),
    "T15 negative size": (header(b"a", size=base256(-512)), ["size", "-512"]),
    "T15 huge size": (header(b"a", size=base256(1 << 80)), ["size"]),
    "T15 pax size of 2^64": (pax(size=b"18446744073709551616") + member(b"a"), ["size"]),
    "T15 negative pax size": (pax(size=b"-1") + member(b"a"), ["size"]),
    "T16 a part of 256 bytes": (pax(path=b"n" * 256) + member(b"a"), ["nnn", "255"]),
    "T16 a path of 4097 bytes": (pax(path=b"d/" * 2048 + b"n") + member(b"a"), ["d/d/", "4096"]),
    "T17 map overlaps": (
        pax(GNU_sparse_size=b"9", GNU_sparse_map=b"0,2,1,2") + member(b"s", b"abcd"),
        ["overlaps"],
    ),
    "T17 map leaves the file": (
        pax(GNU_sparse_size=b"3", GNU_sparse_map=b"2,4") + member(b"s", b"abcd"),
        ["leaves"],
    ),
    "T17 map miscounts": (
        pax(GNU_sparse_size=b"9", GNU_sparse_map=b"0,3") + member(b"s", b"abcd"),
        ["add up"],
    ),
    "T17 map without end": (
        SPARSE_1_0 + member(b"s", b"9999\n" + b"1\n" * 1000),
        ["ends inside"],
    ),
    "T17 map of 10^7 entries": (SPARSE_1_0 + member(b"s", b"9999999\n"), ["too long"]),
    "T19 negative owner": (header(b"a", uid=base256(-1, 8)), ["owner -1"]),
    "T19 owner 2^32": (header(b"a", uid=base256(1 << 32, 8)), ["owner 4294967296"]),
    "T20 NUL in a pax path": (pax(path=b"a\0b") + member(b"a"), ["NUL"]),
    "T24 one zero block, then more": (
        member(b"a") + bytes(512) + member(b"b"),
        ["single block of zeros"],
    ),
    "wrong checksum": (header(b"a")[:-1] + b"x", ["checksum"]),
    "octal with letters": (header(b"a", size=b"0000000000x\0"), ["not a number"]),
    "octal with a 9": (header(b"a", size=b"00000000009\0"), ["octal"]),
    "octal after a NUL": (header(b"a", size=b"\x000000000010\0"), ["not a number"]),
    "unknown type": (header(b"a", b"Q"), ["type"]),
    "multi-volume": (header(b"a", b"M"), ["type"]),
    "file name ending in a slash": (member(b"a/", b"data"), ["slash"]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_readers_understand_differently_is_refused(case: str, ledger: Ledger) -> None:
    archive, words = CASES[case]
    kind = LimitExceeded if case.startswith(("T16", "T14 pax header of")) else InvalidLayer
    with refused(kind, *words):
        read(archive)


def test_a_symbolic_link_may_say_what_no_path_can() -> None:
    made = pax(linkpath=b"n" * 300) + member(b"a", kind=b"2") + END
    [found] = members(io.BytesIO(made), "made")
    assert found.linkname == b"n" * 300
    with pytest.raises(LimitExceeded, match="255"):
        read(pax(linkpath=b"n" * 300) + member(b"a", kind=b"1") + END)


def test_a_name_of_255_and_a_path_of_4096_bytes_are_fine() -> None:
    made = pax(path=b"n" * 255) + member(b"a") + pax(path=b"d/" * 2047 + b"no") + member(b"b") + END
    assert [len(name) for name, _ in read(made)] == [255, 4096]


def test_the_number_of_members_is_limited(ledger: Ledger) -> None:
    made = io.BytesIO(member(b"a") * 11 + END)
    with refused(LimitExceeded, "number of members", "10"):
        list(members(made, "archive", limit=10))


def test_one_name_a_hundred_thousand_times_takes_linear_time() -> None:
    made = io.BytesIO(member(b"same") * 100_000 + END)
    assert sum(1 for _ in members(made, "archive")) == 100_000


def test_an_error_escapes_the_name_it_repeats() -> None:
    with refused(InvalidLayer, r"\x1b", r"\n"):
        read(header(b"\x1b[31m\nred\xff", b"Q"))


def test_an_outer_archive_fails_as_an_archive() -> None:
    with pytest.raises(InvalidArchive, match="not a tar"):
        list(members(io.BytesIO(b"x" * 512), "archive", failure=InvalidArchive))


def test_data_not_read_is_skipped_and_data_read_in_part_too() -> None:
    made = member(b"a", b"x" * 2000) + member(b"b", b"y") + END
    found = [each.read(5) for each in members(io.BytesIO(made), "archive")]
    assert found == [b"xxxxx", b"y"]
