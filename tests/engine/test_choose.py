from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.engine.choose import (
    choose,
    every_document,
    host_platform,
    is_attestation,
    preferred,
)
from pytest_images.errors import LimitExceeded, PlatformNotFound
from pytest_images.model.descriptor import Descriptor
from pytest_images.model.digest import Digest
from pytest_images.model.manifest import Index, Manifest
from pytest_images.model.platform import Platform
from pytest_images.testing.samples import Sample, image, index

if TYPE_CHECKING:
    from collections.abc import Sequence


def chosen(samples: Sequence[Sample], *wanted: str) -> str:
    by_digest = {sample.manifest.digest: sample for sample in samples}

    def read(descriptor: Descriptor) -> Manifest | Index:
        return by_digest[descriptor.digest].manifest

    def platform_of(manifest: Manifest) -> Platform:
        return by_digest[manifest.digest].config.platform

    platforms = [Platform.parse(text) for text in wanted]
    found = choose(index(*samples).index, platforms, read, platform_of, "app:1")
    return str(by_digest[found.digest].config.platform)


def for_platforms(*texts: str) -> list[Sample]:
    return [image(text, platform=text) for text in texts]


@pytest.mark.parametrize(
    ("has", "wanted", "expected"),
    [
        (["linux/arm64", "linux/amd64"], ["linux/amd64"], "linux/amd64"),
        (["linux/arm/v6", "linux/arm/v7"], ["linux/arm/v7"], "linux/arm/v7"),
        (["linux/arm/v5", "linux/arm/v6"], ["linux/arm/v7"], "linux/arm/v6"),
        (["linux/386", "linux/arm64"], ["linux/amd64", "linux/arm64"], "linux/arm64/v8"),
        (["linux/386", "linux/s390x"], ["linux/amd64"], "linux/386"),
        (["windows/amd64", "linux/amd64"], ["linux/riscv64", "windows/amd64"], "windows/amd64"),
    ],
)
def test_the_best_of_what_is_wanted_is_chosen(
    has: list[str], wanted: list[str], expected: str
) -> None:
    assert chosen(for_platforms(*has), *wanted) == expected


def test_a_newer_variant_than_wanted_is_not_chosen() -> None:
    with pytest.raises(PlatformNotFound) as caught:
        chosen(for_platforms("linux/arm/v7"), "linux/arm/v6")
    assert caught.value.available == ("linux/arm/v7",)


def test_the_host_is_always_linux() -> None:
    assert host_platform().os == "linux"


def test_own_variants_of_all_come_before_other_architectures() -> None:
    wanted = [Platform.parse("linux/amd64"), Platform.parse("linux/arm/v6")]
    expected = ["linux/amd64", "linux/arm/v6", "linux/arm/v5", "linux/386"]
    assert [str(each) for each in preferred(wanted)] == expected


def test_an_attestation_is_known_by_its_annotation_or_platform() -> None:
    digest = Digest.of(b"")
    said = Descriptor("", digest, 0, None, {"vnd.docker.reference.type": "attestation-manifest"})
    assert is_attestation(said)
    assert is_attestation(Descriptor("", digest, 0, Platform("unknown", "unknown")))
    assert not is_attestation(Descriptor("", digest, 0, Platform("linux", "amd64")))


def test_every_document_comes_once_and_before_those_that_name_it() -> None:
    one = image()
    inner = index(one, one).index
    outer = Index(b"", inner.media_type, (inner.descriptor, one.manifest.descriptor))
    known: dict[Digest, Manifest | Index] = {one.manifest.digest: one.manifest}
    known[inner.digest] = inner
    found = every_document(outer, lambda each: known[each.digest], "app:1")
    assert found == [one.manifest, inner]


def test_nesting_has_an_end() -> None:
    levels: dict[Digest, Manifest | Index] = {}
    top = index(image()).index
    for number in range(5):
        levels[top.digest] = top
        top = Index(b"%d" % number, top.media_type, (top.descriptor,))
    with pytest.raises(LimitExceeded):
        every_document(top, lambda each: levels.get(each.digest) or image().manifest, "app:1")
