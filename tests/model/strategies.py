"""Hypothesis strategies of values, for the round trips."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from pytest_images.model.digest import HEX_DIGITS, Digest
from pytest_images.model.platform import Platform
from pytest_images.model.reference import Reference

# The same examples on every machine, and few enough to stay quick.
settings.register_profile("values", derandomize=True, max_examples=150, deadline=None)
ROUND_TRIP = settings.get_profile("values")

digests = st.sampled_from(sorted(HEX_DIGITS)).flatmap(
    lambda algorithm: st.from_regex(f"[0-9a-f]{{{HEX_DIGITS[algorithm]}}}", fullmatch=True).map(
        lambda text: Digest(algorithm, text)
    )
)
registries = st.one_of(
    st.sampled_from(["docker.io", "localhost", "ghcr.io", "[::1]:5000", "Registry", "a-b.c:80"]),
    st.from_regex(r"[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){1,3}(:[0-9]{1,5})?", fullmatch=True),
)
repositories = st.from_regex(
    r"[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,6}){0,3}", fullmatch=True
)
tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
references = st.builds(
    lambda registry, repository, tag, digest: Reference(
        registry, repository, tag if tag or digest else "latest", digest
    ),
    registries,
    repositories,
    st.none() | tags,
    st.none() | digests,
)
platforms = st.builds(
    Platform,
    st.sampled_from(["linux", "Windows", "macos", "freebsd"]),
    st.sampled_from(["amd64", "x86_64", "arm", "armhf", "arm64", "aarch64", "i386", "s390x"]),
    st.sampled_from(["", "v1", "v2", "v6", "v7", "7", "8", "v8", "v8.0", "v9.2"]),
)


def label(value: object) -> str:
    """A short id for a case of a table, told apart by its end and length where it is cut."""
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:24]}..{text[-10:]} {len(text)}"
