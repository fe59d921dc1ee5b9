from __future__ import annotations

import pytest

from pytest_images.server import names
from pytest_images.server.refusal import Refusal

HEX = "a" * 64


@pytest.mark.parametrize("text", ["a", "a/b", "library/alpine", "a__b/c-d.e", "blobs/uploads/x"])
def test_good_names_stay_as_they_are(text: str) -> None:
    assert names.repository(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "/", "A", "a//b", "/a", "a/", "..", "../a", "a/../b", "a/_uploads/b", "_tags", "a\0b",
     "a" * 10_000, "a b", "a:1", "ä", "a/.b", "a%2fb"],
)  # fmt: skip
def test_bad_names_are_refused_by_the_code_for_names(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        names.repository(text)
    assert (caught.value.status, caught.value.code) == (400, "NAME_INVALID")


@pytest.mark.parametrize("text", ["1", "latest", "_a", "A.b-C", "a" * 128])
def test_good_tags(text: str) -> None:
    assert names.is_tag(text)


@pytest.mark.parametrize("text", ["", ".", "..", ".a", "-a", "a" * 129, "a/b", "a!b", "a\0", "ä"])
def test_bad_tags(text: str) -> None:
    assert not names.is_tag(text)


@pytest.mark.parametrize(
    "text",
    ["", "sha256:", HEX, f"sha256:{HEX}0", f"sha256:{HEX[1:]}", f"sha256:{HEX.upper()}",
     f"md5:{'a' * 32}", f"sha256:../{HEX[3:]}", f"sha256:{HEX[:-2]}/.", f"SHA256:{HEX}",
     f"sha512:{HEX}", "sha256:" + "٣" * 64],
)  # fmt: skip
def test_bad_digests_are_refused_by_the_code_for_digests(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        names.digest(text)
    assert (caught.value.status, caught.value.code) == (400, "DIGEST_INVALID")


def test_both_algorithms_are_digests() -> None:
    assert names.digest(f"sha256:{HEX}").encoded == HEX
    assert names.digest(f"sha512:{HEX}{HEX}").algorithm == "sha512"


@pytest.mark.parametrize("text", ["", "../x", "A" * 32, "g" * 32, "a" * 33])
def test_an_upload_we_cannot_have_named_is_unknown(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        names.upload_id(text)
    assert (caught.value.status, caught.value.code) == (404, "BLOB_UPLOAD_UNKNOWN")
