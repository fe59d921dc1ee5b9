from __future__ import annotations

import pickle
import platform as machine

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.errors import InvalidPlatform
from pytest_images.model.platform import UNKNOWN, Platform, candidates
from tests.model.strategies import ROUND_TRIP, label, platforms

# containerd's normalisation (platforms/database.go), then the names of `uname -m`. Where
# containerd leaves arm64's v8 out, it is written here, so that one platform has one text.
NORMALISED = [
    ("linux/x86_64", "linux/amd64"),
    ("linux/x86-64", "linux/amd64"),
    ("Linux/X86_64", "linux/amd64"),
    ("linux/amd64/v1", "linux/amd64"),
    ("linux/amd64/v2", "linux/amd64/v2"),
    ("linux/aarch64", "linux/arm64/v8"),
    ("linux/arm64", "linux/arm64/v8"),
    ("linux/arm64/8", "linux/arm64/v8"),
    ("linux/arm64/v8", "linux/arm64/v8"),
    ("linux/arm64/v8.0", "linux/arm64/v8"),
    ("linux/arm64/v8.1", "linux/arm64/v8.1"),
    ("linux/arm64/v9.0", "linux/arm64/v9"),
    ("linux/arm", "linux/arm/v7"),
    ("linux/arm/7", "linux/arm/v7"),
    ("linux/arm/6", "linux/arm/v6"),
    ("linux/arm/v5", "linux/arm/v5"),
    ("linux/armhf", "linux/arm/v7"),
    ("linux/armhf/v6", "linux/arm/v7"),
    ("linux/armel", "linux/arm/v6"),
    ("linux/i386", "linux/386"),
    ("linux/i386/v1", "linux/386"),
    ("linux/i686", "linux/386"),
    ("linux/armv6l", "linux/arm/v6"),
    ("linux/armv7l", "linux/arm/v7"),
    ("linux/armv8l", "linux/arm/v8"),
    ("macos/arm64", "darwin/arm64/v8"),
    ("linux/s390x", "linux/s390x"),
    ("linux/ppc64le", "linux/ppc64le"),
    ("linux/riscv64", "linux/riscv64"),
    ("linux/loongarch64", "linux/loong64"),
    ("amd64", "linux/amd64"),
    ("Aarch64", "linux/arm64/v8"),
    ("armel", "linux/arm/v6"),
    ("unknown/unknown", "unknown/unknown"),
]
REFUSED = [
    "",
    "/",
    "linux",
    "windows",
    "macos",
    "linuxx",
    "amd46",
    "/linux/arm",
    "linux/arm/",
    "linux//v7",
    "linux /arm",
    "linux/&arm",
    "linux/arm/foo/bar",
    "*",
    "linux/*",
    "linux/amd64\n",
    "linux/amd64\0",
    "linux/\u0430md64",  # a Cyrillic letter
    "linux/" + "a" * 65,
    "windows(10.0.17763)/amd64",
]
# platforms.Only of containerd: what runs here besides the platform itself, best first.
RUNS = [
    ("linux/amd64", ["linux/386"]),
    ("linux/amd64/v2", ["linux/amd64", "linux/386"]),
    ("linux/amd64/v3", ["linux/amd64/v2", "linux/amd64", "linux/386"]),
    ("linux/386", []),
    ("windows/amd64", ["windows/386"]),
    ("linux/arm/v8", ["linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]),
    ("linux/arm/v7", ["linux/arm/v6", "linux/arm/v5"]),
    ("linux/arm/v6", ["linux/arm/v5"]),
    ("linux/arm/v5", []),
    ("linux/arm/v4", []),
    ("linux/s390x", []),
    ("linux/ppc64le", []),
    ("unknown/unknown", []),
]
ARM32 = ["linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]
ARM64 = [
    ("linux/arm64", []),
    ("linux/arm64/v8.1", ["v8"]),
    ("linux/arm64/v8.3", ["v8.2", "v8.1", "v8"]),
    ("linux/arm64/v9", ["v8.5", "v8.4", "v8.3", "v8.2", "v8.1", "v8"]),
    ("linux/arm64/v9.1", ["v9", "v8.6", "v8.5", "v8.4", "v8.3", "v8.2", "v8.1", "v8"]),
]


@pytest.mark.parametrize(("text", "normal"), NORMALISED, ids=label)
def test_a_platform_is_normalised_as_containerd_does(text: str, normal: str) -> None:
    assert str(Platform.parse(text)) == normal


@pytest.mark.parametrize("text", REFUSED, ids=label)
def test_what_is_not_a_platform_is_refused(text: str) -> None:
    with pytest.raises(InvalidPlatform):
        Platform.parse(text)


@given(platforms)
@ROUND_TRIP
def test_the_text_of_a_platform_reads_as_the_same_platform(platform: Platform) -> None:
    assert Platform.parse(str(platform)) == platform
    assert pickle.loads(pickle.dumps(platform)) == platform


@given(st.text(max_size=40) | st.text("linuxarmv678/._-", max_size=30))
@ROUND_TRIP
def test_any_text_is_a_platform_or_refused(text: str) -> None:
    try:
        platform = Platform.parse(text)
    except InvalidPlatform:
        return
    assert Platform.parse(str(platform)) == platform
    assert len(candidates(platform)) <= 200


@pytest.mark.parametrize(("text", "others"), RUNS, ids=label)
def test_what_also_runs_on_a_platform_comes_best_first(text: str, others: list[str]) -> None:
    assert [str(found) for found in candidates(Platform.parse(text))] == [text, *others]


@pytest.mark.parametrize(("text", "older"), ARM64, ids=label)
def test_arm64_also_runs_its_older_versions_and_32_bits(text: str, older: list[str]) -> None:
    found = [str(platform) for platform in candidates(Platform.parse(text))]
    expected = [str(Platform.parse(text)), *(f"linux/arm64/{version}" for version in older), *ARM32]
    assert found == expected


@given(platforms)
@ROUND_TRIP
def test_candidates_are_distinct_and_begin_with_the_platform_itself(platform: Platform) -> None:
    found = candidates(platform)
    assert found[0] == platform
    assert len(set(found)) == len(found)


def test_this_machine_has_a_platform() -> None:
    assert Platform.of_machine(machine.machine()) != UNKNOWN


def test_platforms_sort() -> None:
    arm, amd = Platform("linux", "arm"), Platform("linux", "amd64")
    assert sorted([arm, amd]) == [amd, arm]
