from __future__ import annotations

import pickle
import time
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.errors import InvalidReference
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from tests.model.strategies import ROUND_TRIP, label, references

Row = tuple[str, str, str, str | None, str | None, str | None]
SHA256 = "sha256:" + "f" * 64
SHA512 = "sha512:" + "f" * 128
HEX = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"
NOT_HEX = "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev"

# What is typed, and the registry, repository, tag, digest and familiar form Docker makes of
# it (distribution/reference: grammar in reference.go, defaults in normalize.go).
READ: list[Row] = [
    ("alpine", "docker.io", "library/alpine", None, None, "alpine"),
    ("alpine:3.20", "docker.io", "library/alpine", "3.20", None, "alpine:3.20"),
    ("docker.io/alpine", "docker.io", "library/alpine", None, None, "alpine"),
    ("docker.io/library/alpine", "docker.io", "library/alpine", None, None, "alpine"),
    ("index.docker.io/library/alpine", "docker.io", "library/alpine", None, None, "alpine"),
    ("index.docker.io/alpine", "docker.io", "library/alpine", None, None, "alpine"),
    ("library/alpine", "docker.io", "library/alpine", None, None, "alpine"),
    ("library/a/b", "docker.io", "library/a/b", None, None, "library/a/b"),
    ("docker.io/library/a/b", "docker.io", "library/a/b", None, None, "library/a/b"),
    ("grafana/grafana", "docker.io", "grafana/grafana", None, None, "grafana/grafana"),
    ("other/library", "docker.io", "other/library", None, None, "other/library"),
    ("store/a/b", "docker.io", "store/a/b", None, None, "store/a/b"),
    ("test.com:tag", "docker.io", "library/test.com", "tag", None, "test.com:tag"),
    ("test.com:5000", "docker.io", "library/test.com", "5000", None, "test.com:5000"),
    ("test.com/repo:tag", "test.com", "repo", "tag", None, "test.com/repo:tag"),
    ("test:5000/repo", "test:5000", "repo", None, None, "test:5000/repo"),
    ("test:5000/repo:tag", "test:5000", "repo", "tag", None, "test:5000/repo:tag"),
    ("test-com:8080/foo", "test-com:8080", "foo", None, None, "test-com:8080/foo"),
    ("test_com/foo", "docker.io", "test_com/foo", None, None, "test_com/foo"),
    ("foo/foo_bar.com:80", "docker.io", "foo/foo_bar.com", "80", None, "foo/foo_bar.com:80"),
    ("r.io/x@" + SHA256, "r.io", "x", None, SHA256, "r.io/x@" + SHA256),
    ("x:t@" + SHA256, "docker.io", "library/x", "t", SHA256, "x:t@" + SHA256),
    ("xn--7o8h.com/i:xn--7o8h.com@" + SHA512, "xn--7o8h.com", "i", "xn--7o8h.com", SHA512, None),
    ("lowercase:Uppercase", "docker.io", "library/lowercase", "Uppercase", None, None),
    ("Docker/docker", "Docker", "docker", None, None, "Docker/docker"),
    ("FOO/bar", "FOO", "bar", None, None, "FOO/bar"),
    ("localhost/app", "localhost", "app", None, None, "localhost/app"),
    ("localhost", "docker.io", "library/localhost", None, None, "localhost"),
    ("localhost:5000/app:1", "localhost:5000", "app", "1", None, "localhost:5000/app:1"),
    ("192.168.1.1", "docker.io", "library/192.168.1.1", None, None, "192.168.1.1"),
    ("192.168.1.1:80", "docker.io", "library/192.168.1.1", "80", None, "192.168.1.1:80"),
    ("192.168.1.1:8/debian", "192.168.1.1:8", "debian", None, None, "192.168.1.1:8/debian"),
    ("[2001:db8::1]/repo", "[2001:db8::1]", "repo", None, None, "[2001:db8::1]/repo"),
    ("[::1]:5000/repo:tag", "[::1]:5000", "repo", "tag", None, "[::1]:5000/repo:tag"),
    ("[FC00::1]:5000/a/b", "[FC00::1]:5000", "a/b", None, None, "[FC00::1]:5000/a/b"),
    ("b.gcr.io/x.example.com/y:z.com", "b.gcr.io", "x.example.com/y", "z.com", None, None),
    ("docker---rules/d", "docker.io", "docker---rules/d", None, None, "docker---rules/d"),
    ("dock__er/d", "docker.io", "dock__er/d", None, None, "dock__er/d"),
    ("d/docker", "docker.io", "d/docker", None, None, "d/docker"),
    (NOT_HEX, "docker.io", "library/" + NOT_HEX, None, None, NOT_HEX),
    ("docker.io/" + HEX, "docker.io", "library/" + HEX, None, None, HEX),
    (HEX + ":1", "docker.io", "library/" + HEX, "1", None, HEX + ":1"),
    ("a/" * 127 + "a:over-the-limit", "docker.io", "a/" * 127 + "a", "over-the-limit", None, None),
    ("r.io/" + "a" * 255, "r.io", "a" * 255, None, None, "r.io/" + "a" * 255),
    ("x:" + "t" * 128, "docker.io", "library/x", "t" * 128, None, None),
]

# What Docker refuses, and a word of the reason.
REFUSED = [
    ("", "empty"),
    (":justtag", "format"),
    ("@" + SHA256, "format"),
    ("repo@sha256:" + "f" * 34, "digest"),
    ("repo@sha256:" + "F" * 64, "digest"),
    ("repo@sha256:" + "f" * 65, "digest"),
    ("repo@md5:" + "f" * 32, "digest"),
    ("repo@sha256:" + "\u0663" * 64, "digest"),  # digits, but not ASCII's
    ("repo@", "digest"),
    ("repo@sha256:../../etc", "digest"),
    ("a@b@" + SHA256, "digest"),
    ("Uppercase:tag", "lowercase"),
    ("test:5000/Uppercase/lowercase:tag", "lowercase"),
    ("docker/Docker", "lowercase"),
    ("a/" * 128 + "a:tag", "255"),
    ("r.io/" + "a" * 256, "255"),
    ("r" * 300 + ".io/a", "261"),
    ("aa/asdf$$^/aa", "format"),
    ("[2001:db8::1]", "format"),
    ("[2001:db8::1]:5000", "format"),
    ("[fe80::1%eth0]:5000/repo", "registry"),
    ("[2001:db8:3:4::192.0.2.33]:5000/debian", "registry"),
    ("fc00::1:5000/debian", "registry"),
    ("https://github.com/docker/docker", "registry"),
    ("-docker", "format"),
    ("-docker/docker", "format"),
    ("docker-/docker", "format"),
    ("-docker.io/docker/docker", "registry"),
    ("docker///docker", "format"),
    ("docker.io/docker///docker", "format"),
    ("____/____", "format"),
    ("_docker/_docker", "format"),
    ("dock..er/docker", "format"),
    ("dock_.er/docker", "format"),
    ("dock-.er/docker", "format"),
    ("docker/", "format"),
    ("/docker", "format"),
    (HEX, "64-byte hexadecimal"),
    ("x:" + "t" * 129, "tag"),
    ("x:", "tag"),
    ("x:-t", "tag"),
    ("x:t/../../y", "registry"),
    ("../x", "registry"),
    ("r.io/../x", "format"),
    ("r.io/x\n", "format"),
    ("x:t\n", "tag"),
    ("r.io\\@evil.io/x", "digest"),
    ("user@r.io/x", "digest"),
    ("r.io/x y", "format"),
    ("r.io/x\0", "format"),
    ("\uff52.io/x", "registry"),
]


@pytest.mark.parametrize("row", READ, ids=lambda row: label(row[0]))
def test_a_name_is_read_as_docker_reads_it(row: Row) -> None:
    text, registry, repository, tag, digest, familiar = row
    found = Reference.parse_bare(text)
    assert (found.registry, found.repository, found.tag) == (registry, repository, tag)
    assert found.digest == (Digest.parse(digest) if digest else None)
    assert found.familiar == (familiar or text)


@pytest.mark.parametrize(("text", "word"), REFUSED, ids=label)
def test_what_docker_refuses_is_refused_and_the_reason_named(text: str, word: str) -> None:
    with pytest.raises(InvalidReference, match=word):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("alpine", "docker.io/library/alpine:latest"),
        ("r.io/a@" + SHA256, "r.io/a@" + SHA256),
        ("r.io/a:1@" + SHA256, "r.io/a:1@" + SHA256),
        ("r.io/a:1", "r.io/a:1"),
    ],
)
def test_a_name_without_tag_and_digest_means_latest(text: str, full: str) -> None:
    assert str(Reference.parse(text)) == full


@given(references)
@ROUND_TRIP
def test_the_full_text_reads_as_the_same_reference(reference: Reference) -> None:
    assert Reference.parse(str(reference)) == reference


@given(references)
@ROUND_TRIP
def test_the_familiar_text_reads_as_the_same_reference(reference: Reference) -> None:
    assert Reference.parse(reference.familiar) == reference


@given(st.text(max_size=80) | st.text("aB0.:/@_-[]", max_size=60))
@ROUND_TRIP
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InvalidReference as error:
        assert str(error).isprintable()
    else:
        assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize("repository", ["a.b/c", "localhost/c", "x:1/c"])
def test_a_familiar_name_never_hides_docker_io_where_that_would_change_the_registry(
    repository: str,
) -> None:
    if ":" in repository:
        with pytest.raises(InvalidReference):
            Reference("docker.io", repository, "1")
    else:
        reference = Reference("docker.io", repository, "1")
        assert reference.familiar == f"docker.io/{repository}:1"


def test_docker_hub_has_one_name_however_a_reference_is_made() -> None:
    assert Reference("index.docker.io", "alpine", "1") == Reference.parse("alpine:1")


def test_a_registry_that_would_read_as_a_namespace_is_refused() -> None:
    with pytest.raises(InvalidReference, match="namespace"):
        Reference("quay", "app", "1")


def test_references_sort_by_text_also_without_a_tag() -> None:
    bare, tagged = Reference("r.io", "a"), Reference("r.io", "a", "1")
    pinned = tagged.with_digest(Digest.of(b""))
    assert sorted([pinned, tagged, bare]) == [bare, tagged, pinned]
    assert tagged <= pinned > bare


def test_a_reference_of_another_tag_or_digest_keeps_the_name() -> None:
    reference = Reference.parse("r.io/a:1")
    assert str(reference.with_tag("2")) == "r.io/a:2"
    assert str(reference.with_digest(Digest.parse(SHA256))) == f"r.io/a:1@{SHA256}"
    assert reference.with_digest(Digest.parse(SHA256)).is_pinned


def test_a_reference_travels_hashes_and_does_not_change() -> None:
    reference = Reference.parse("r.io/a:1@" + SHA256)
    assert pickle.loads(pickle.dumps(reference)) == reference
    assert len({reference, Reference.parse(str(reference))}) == 1
    with pytest.raises(FrozenInstanceError):
        reference.tag = "2"  # type: ignore[misc]  # the attempt is the test


@pytest.mark.parametrize(
    "text",
    [
        "a" * 2_000_000,
        "a-" * 1_000_000,
        "A." * 1_000_000 + "/x",
        "x:" + "t" * 2_000_000,
        "/" * 10**6,
    ],
    ids=["letters", "dashes", "labels", "tag", "slashes"],
)
def test_a_text_without_end_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(InvalidReference):
        Reference.parse(text)
    assert time.process_time() - started < 1
