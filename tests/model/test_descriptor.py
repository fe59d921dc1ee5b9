from __future__ import annotations

import pickle
from typing import Any

import pytest

from pytest_images.errors import InvalidDocument, LimitExceeded
from pytest_images.model.descriptor import (
    SIZE_LIMIT,
    Descriptor,
    annotations_from_json,
    platform_from_json,
    platform_to_json,
)
from pytest_images.model.digest import Digest
from pytest_images.model.platform import UNKNOWN, Platform
from tests.ledger import refused

DIGEST = str(Digest.of(b"content"))
GOOD: dict[str, Any] = {"mediaType": "text/plain", "digest": DIGEST, "size": 7}
WHOLE = GOOD | {
    "urls": ["https://example.com/x"],
    "annotations": {"a": "1"},
    "platform": {"architecture": "arm64", "os": "linux", "variant": "v8"},
}
BAD = {
    "no digest": {"digest": None},
    "digest a number": {"digest": 1},
    "digest of another kind": {"digest": "md5:" + "a" * 32},
    "digest with a path": {"digest": "sha256:../../etc"},
    "no size": {"size": None},
    "negative": {"size": -1},
    "2^63": {"size": 1 << 63},
    "over the limit": {"size": SIZE_LIMIT + 1},
    "fraction": {"size": 7.0},
    "text": {"size": "7"},
    "true": {"size": True},
    "zero for content": {"size": 0},
    "media type a list": {"mediaType": []},
    "urls text": {"urls": "https://example.com"},
    "urls of numbers": {"urls": [1]},
    "annotations a list": {"annotations": []},
    "annotations of numbers": {"annotations": {"a": 1}},
    "platform text": {"platform": "linux/amd64"},
    "platform of numbers": {"platform": {"os": 1, "architecture": "x"}},
    "another case": {"Size": 8},
    "platform in another case": {"platform": {"OS": "linux"}},
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_a_descriptor_that_breaks_a_rule_is_refused(change: dict[str, Any]) -> None:
    with refused(InvalidDocument, "manifest.json"):
        Descriptor.from_json(GOOD | change, "manifest.json")


@pytest.mark.parametrize("document", [None, [], "", 1, "sha256:x"], ids=repr)
def test_what_is_not_an_object_is_no_descriptor(document: object) -> None:
    with refused(InvalidDocument, "not an object"):
        Descriptor.from_json(document, "x")


def test_a_descriptor_is_written_as_it_was_read() -> None:
    assert Descriptor.from_json(WHOLE, "x").to_json() == WHOLE
    assert Descriptor.from_json(GOOD, "x").to_json() == GOOD


def test_nothing_is_the_only_content_of_no_bytes() -> None:
    empty = GOOD | {"digest": str(Digest.of(b"")), "size": 0}
    assert Descriptor.from_json(empty, "x").size == 0
    with refused(InvalidDocument, "7 bytes"):
        Descriptor.from_json(empty | {"size": 7}, "x")


def test_a_descriptor_travels_and_hashes() -> None:
    descriptor = Descriptor.from_json(WHOLE, "x")
    assert pickle.loads(pickle.dumps(descriptor)) == descriptor
    assert len({descriptor, Descriptor.from_json(WHOLE, "x")}) == 1


def test_a_descriptor_shares_no_annotations_with_what_it_was_made_of() -> None:
    annotations = {"a": "1"}
    descriptor = Descriptor("x", Digest.of(b"x"), 1, annotations=annotations)
    annotations["a"] = "2"
    assert descriptor.annotations == {"a": "1"}
    with pytest.raises(TypeError):
        descriptor.annotations["a"] = "2"  # type: ignore[index]  # the attempt is the test


def test_ten_thousand_urls_are_refused() -> None:
    with refused(LimitExceeded, "URLs"):
        Descriptor.from_json(GOOD | {"urls": ["https://x"] * 10_000}, "x")


@pytest.mark.parametrize("size", [-1, 1 << 63, 1.5, True])
def test_a_size_is_a_byte_count_however_the_descriptor_is_made(size: Any) -> None:
    with pytest.raises(InvalidDocument, match="byte count"):
        Descriptor("x", Digest.of(b"x"), size)


@pytest.mark.parametrize(
    ("document", "platform"),
    [
        (None, None),
        ({}, None),
        ({"os": "", "architecture": ""}, None),
        ({"os": "linux"}, None),
        ({"os": "linux", "architecture": "x86_64"}, Platform("linux", "amd64")),
        ({"os": "linux", "architecture": "arm", "variant": "v6"}, Platform("linux", "arm", "v6")),
        ({"os": "linux", "architecture": "arm64", "variant": None}, Platform("linux", "arm64")),
        ({"os": "unknown", "architecture": "unknown"}, UNKNOWN),
        ({"os": "linux\n", "architecture": "amd64"}, UNKNOWN),
        ({"os": "linux", "architecture": "x" * 1000}, UNKNOWN),
        (
            {"os": "windows", "architecture": "amd64", "os.version": "10", "os.features": ["w"]},
            Platform("windows", "amd64"),
        ),
    ],
    ids=str,
)
def test_one_odd_platform_does_not_spoil_an_index(document: Any, platform: Platform) -> None:
    assert platform_from_json(document, "x") == platform


def test_a_platform_is_written_with_its_variant() -> None:
    arm = {"architecture": "arm", "os": "linux", "variant": "v7"}
    assert platform_to_json(Platform("linux", "arm")) == arm


def test_absent_annotations_are_empty() -> None:
    assert annotations_from_json(None, "x") == {}
