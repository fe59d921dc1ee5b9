from __future__ import annotations

import hashlib
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.errors import InvalidDigest
from pytest_images.model.digest import SMALL, Digest, hasher, sha256
from tests.model.strategies import ROUND_TRIP, digests, label

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

REFUSED = [
    "",
    ":",
    "sha256",
    "sha256:",
    f":{EMPTY}",
    EMPTY,
    "sha256:../" + "a" * 61,
    "sha256:../../../../etc/passwd",
    f"sha256:{EMPTY.upper()}",
    f"SHA256:{EMPTY}",
    f"sha256:{EMPTY[:-1]}",
    f"sha256:{EMPTY}0",
    f"sha256:{EMPTY}\n",
    f" sha256:{EMPTY}",
    f"sha256:{EMPTY[:-1]}/",
    f"sha256:{EMPTY[:-1]}\0",
    f"sha256:{EMPTY[:-1]}g",
    f"sha512:{EMPTY}",
    f"sha256:sha256:{EMPTY}",
    "md5:d41d8cd98f00b204e9800998ecf8427e",
    "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "sha256:" + "\u0663" * 64,  # Arabic digits: isdigit() and int() would take them
    "sha256:" + "\uff41" * 64,  # full-width letters
    "sha256:" + "\U0001d7ce" * 64,  # mathematical digits
    "sha256+b64:" + EMPTY,
]


@pytest.mark.parametrize("text", REFUSED, ids=label)
def test_what_is_not_a_digest_is_refused(text: str) -> None:
    with pytest.raises(InvalidDigest):
        Digest.parse(text)


def test_a_megabyte_of_digest_is_refused_and_not_repeated_in_full() -> None:
    with pytest.raises(InvalidDigest) as caught:
        Digest.parse("sha256:" + "a" * 10**6)
    assert len(str(caught.value)) < 400


@given(digests)
@ROUND_TRIP
def test_the_text_of_a_digest_reads_as_the_same_digest(digest: Digest) -> None:
    assert Digest.parse(str(digest)) == digest
    assert pickle.loads(pickle.dumps(digest)) == digest


@given(st.text(max_size=140) | st.text("0123456789abcdef:sh", max_size=140))
@ROUND_TRIP
def test_any_text_is_a_digest_or_refused(text: str) -> None:
    try:
        assert str(Digest.parse(text)) == text
    except InvalidDigest as error:
        assert str(error).isprintable()


def test_a_digest_is_computed_over_the_bytes() -> None:
    assert str(Digest.of(b"")) == f"sha256:{EMPTY}"
    assert Digest.of(b"x", "sha512").encoded == hashlib.sha512(b"x").hexdigest()
    assert Digest.of(b"").short == EMPTY[:12]


def test_a_digest_is_not_computed_with_an_algorithm_that_no_registry_knows() -> None:
    with pytest.raises(InvalidDigest, match="md5"):
        Digest.of(b"", "md5")


def test_the_hasher_is_of_the_digests_own_algorithm() -> None:
    digest = Digest.of(b"content", "sha512")
    found = digest.hasher()
    found.update(b"content")
    assert found.hexdigest() == digest.encoded


@pytest.mark.parametrize("size", [0, 1, 64, SMALL, SMALL + 1, None])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_content_is_hashed_alike_however_much_is_said_to_come(
    algorithm: str, size: int | None
) -> None:
    content = bytes(size or 7)
    found = hasher(algorithm, size)
    found.update(content)
    assert found.hexdigest() == hashlib.new(algorithm, content).hexdigest()
    assert Digest.of(content, algorithm).encoded == found.hexdigest()
    assert sha256(content).hexdigest() == hashlib.sha256(content).hexdigest()


def test_digests_sort_and_serve_as_keys() -> None:
    low, high = Digest("sha256", "0" * 64), Digest("sha256", "f" * 64)
    assert sorted([high, low]) == [low, high]
    assert len({low, Digest.parse(str(low)), high}) == 2
