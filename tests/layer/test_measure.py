from __future__ import annotations

import gzip
import io

import pytest
import zstandard

from pytest_images.errors import InvalidLayer, LimitExceeded
from pytest_images.layer.compression import Compression
from pytest_images.layer.measure import measure, survey
from pytest_images.model.digest import Digest
from pytest_images.testing import samples
from tests.layer import raw
from tests.layer.raw import END, header, member, pax
from tests.ledger import Ledger, refused

TAR = member(b"a", b"x" * 1000) + member(b"b", b"y") + END


@pytest.mark.parametrize(
    "compress", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"]
)
def test_a_layer_s_facts_are_those_of_its_tar(compress: type[bytes]) -> None:
    facts = measure(io.BytesIO(compress(TAR)), "layer")
    assert facts == (Digest.of(TAR), len(TAR), 1001)


def test_a_plain_layer_is_not_hashed_twice() -> None:
    assert survey(io.BytesIO(TAR), "layer").diff_id is None
    found = survey(io.BytesIO(gzip.compress(TAR)), "layer")
    assert (found.compression, found.diff_id) == (Compression.GZIP, Digest.of(TAR))


def test_all_bytes_count_also_those_behind_the_end() -> None:
    padded = TAR + bytes(10240) + b"behind"
    facts = measure(io.BytesIO(gzip.compress(padded) + bytes(20)), "layer")
    assert facts.diff_id == Digest.of(padded)


def test_links_and_folders_have_no_size() -> None:
    sample = samples.image(size=777)
    assert measure(io.BytesIO(sample.layers[0]), "layer").content_size == 777


def test_another_algorithm_can_be_asked_for() -> None:
    facts = measure(io.BytesIO(TAR), "layer", algorithm="sha512")
    assert facts.diff_id == Digest.of(TAR, "sha512")


def test_an_empty_layer_is_a_layer() -> None:
    assert measure(io.BytesIO(b""), "layer") == (Digest.of(b""), 0, 0)


def test_a_sparse_file_counts_as_large_as_it_claims_to_be(ledger: Ledger) -> None:
    records = pax(GNU_sparse_size=b"%d" % (8 << 60 >> 1), GNU_sparse_map=b"0,0")
    with refused(LimitExceeded, "unpacked size", "huge"):
        measure(io.BytesIO(records + member(b"huge") + END), "layer", 1 << 40)


REFUSALS = {
    "T01 ../x": (member(b"../x"), "leaves the root"),
    "T01 a/../../x": (member(b"a/../../x"), "leaves the root"),
    "T01 ./../x": (member(b"./../x"), "leaves the root"),
    "T01 ..": (header(b"..", b"5"), "leaves the root"),
    "T01 empty": (member(b""), "replace the root"),
    "T04 root is a link": (header(b".", b"2", link=b"t"), "replace the root"),
    "T04 /. is a link": (header(b"/.", b"2", link=b"t"), "replace the root"),
    "T04 root is a file": (member(b"./."), "replace the root"),
    "T05 hard link outside": (header(b"a", b"1", link=b"../x"), "leaves the root"),
    "T05 hard link to nothing": (header(b"a", b"1"), "hard link to the root"),
    "T12 whiteout of nothing": (member(b"a/.wh."), "whiteout"),
    "T12 whiteout of the folder": (member(b".wh.."), "whiteout"),
    "T12 whiteout of what is above": (member(b"a/.wh..."), "whiteout"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_has_no_place_in_any_root_is_refused(case: str, ledger: Ledger) -> None:
    archive, word = REFUSALS[case]
    with refused(InvalidLayer, word):
        measure(io.BytesIO(archive + END), "layer")


FINE = {
    "T01 absolute": member(b"/etc/x"),
    "T01 two slashes": member(b"//x"),
    "T01 the root itself": header(b"./", b"5"),
    "T01 only slashes": header(b"//", b"5"),
    "T01 back but not out": member(b"a/../x"),
    "T02 link outside, file through it": header(b"l", b"2", link=b"/etc") + member(b"l/x"),
    "T05 absolute hard link": member(b"a") + header(b"b", b"1", link=b"/a"),
    "T05 hard link to itself": header(b"a", b"1", link=b"a"),
    "T06 var/run": header(b"var/run", b"2", link=b"/run") + member(b"var/run/x"),
    "T07 file, then folder": member(b"a") + member(b"a/b") + header(b"a", b"5"),
    "T09 device with a large number": header(b"d", b"4"),
    "T09 FIFO": header(b"f", b"6"),
    "T12 whiteouts": member(b".wh.a") + member(b"d/.wh..wh..opq") + member(b".wh..wh.aufs"),
    "T18 attributes": pax(**{"SCHILY.xattr.security.capability": b"\1\0"}) + member(b"a"),
    "T20 names in bad UTF-8": member(b"\xff\xfe") + member(b"new\nline") + member(b"esc\x1b[0m"),
    "T20 twins": member(b"README")
    + member(b"readme")
    + pax(path="e\u0301".encode())
    + member(b"e"),
    "T24 two archives": TAR + TAR,
}


@pytest.mark.parametrize("case", FINE)
def test_what_real_layers_hold_is_measured(case: str) -> None:
    archive = FINE[case] + END
    assert measure(io.BytesIO(archive), "layer").tar_size == len(archive)


def test_names_are_bytes_as_they_stand_in_the_stream() -> None:
    odd = b"\xff\xfe\nesc\x1b[0m"
    assert raw.read(member(odd) + END) == [(odd, b"")]
