"""ADD of addresses (row B14): verified, bounded, named safely, nothing left behind."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from pytest_images.builder.fetching import Fetched, download, file_name
from pytest_images.errors import (
    DigestMismatch,
    ImagesError,
    InvalidAddress,
    InvalidUsage,
    LimitExceeded,
    NotFound,
    Unreachable,
    UnsafeAddress,
)
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Get = Callable[..., Fetched]

BODY = b"content" * 1000
SHA = f"sha256:{hashlib.sha256(BODY).hexdigest()}"


@pytest.fixture
def server() -> Iterator[FaultRegistry]:
    with FaultRegistry() as server:
        yield server


@pytest.fixture
def get(server: FaultRegistry, tmp_path: Path) -> Get:
    """Fetches a path of the server, or an address."""

    def get(path: str, limit: int = 1 << 20, checksum: str = "", *, ended: bool = False) -> Fetched:
        url = path if ":" in path else f"http://{server}{path}"
        return download(url, tmp_path / "file", limit, checksum=checksum, is_over=lambda: ended)

    return get


def test_a_file_has_its_name_its_time_and_few_rights(server: FaultRegistry, get: Get) -> None:
    headers = {"Last-Modified": "Sat, 03 Jan 1970 00:00:01 GMT"}
    server.on("GET", "/a/b.txt", Fault(status=200, body=BODY, headers=headers))
    tree, name = get("/a/b.txt?v=1")
    assert name == "b.txt"
    [item] = tree.below("")
    assert (item.mode, item.mtime, item.size) == (0o600, 2 * 86400 + 1, len(BODY))
    with tree.open(item) as stream:
        assert stream.read() == BODY


@pytest.mark.parametrize("header", ["yesterday", "", "Sat, 03 Jan 1870 00:00:01 GMT"])
def test_a_time_that_means_nothing_is_the_first_there_is(
    server: FaultRegistry, get: Get, header: str
) -> None:
    server.on("GET", "/a", Fault(status=200, body=BODY, headers={"Last-Modified": header}))
    [item] = get("/a").tree.below("")
    assert item.mtime == 0


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_checksum_is_held_against_the_content(
    server: FaultRegistry, get: Get, algorithm: str, tmp_path: Path
) -> None:
    server.on("GET", "/a", Fault(status=200, body=BODY))
    right = hashlib.new(algorithm, BODY).hexdigest()
    get("/a", checksum=f"{algorithm}:{right}")
    (tmp_path / "file").unlink()
    with pytest.raises(DigestMismatch, match=f"not {algorithm}:{'0' * len(right)}"):
        get("/a", checksum=f"{algorithm}:{'0' * len(right)}")


@pytest.mark.parametrize("checksum", ["md5:0", "sha256:0", f"sha256:{'G' * 64}", "0" * 64])
def test_a_checksum_that_is_none_is_refused_before_anything_is_asked(
    server: FaultRegistry, get: Get, checksum: str
) -> None:
    with pytest.raises(InvalidUsage, match="a checksum is ALGORITHM:HEX"):
        get("/a", checksum=checksum)
    assert not server.seen


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://a.test/b/c", "c"),
        ("http://a.test/b/c/", "c"),
        ("http://a.test/b%20c%2Fd", "d"),
        ("http://a.test/%2e%2e", "__unnamed__"),
        ("http://a.test/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("http://a.test/a%00b", "__unnamed__"),
        ("http://a.test", "__unnamed__"),
        ("http://a.test/?x=/name", "__unnamed__"),
        ("http://a.test/*", "*"),
    ],
)
def test_a_name_is_one_part_of_a_path(url: str, name: str) -> None:
    assert file_name(url) == name


def test_what_the_server_says_of_the_name_does_not_count(server: FaultRegistry, get: Get) -> None:
    headers = {"Content-Disposition": 'attachment; filename="../../x"'}
    server.on("GET", "/a", Fault(status=200, body=BODY, headers=headers))
    assert get("/a").name == "a"


def test_a_body_without_end_is_cut_off(server: FaultRegistry, get: Get) -> None:
    server.on("GET", "/a", Fault(status=200, body=b"x" * 300_000, length=-1))
    with pytest.raises(LimitExceeded, match="limit of 100000"):
        get("/a", limit=100_000)


def test_a_body_that_is_cut_is_no_file(server: FaultRegistry, get: Get) -> None:
    server.on("GET", "/a", Fault(status=200, body=BODY, cut=100))
    with pytest.raises(Unreachable):
        get("/a")


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("http://169.254.169.254/latest", UnsafeAddress),
        ("http://metadata.google.internal/x", UnsafeAddress),
        ("file:///etc/passwd", InvalidAddress),
        ("gopher://x/", InvalidAddress),
    ],
)
def test_a_redirect_is_judged(
    server: FaultRegistry, get: Get, target: str, kind: type[ImagesError]
) -> None:
    server.on("GET", "/a", Fault(status=302, headers={"Location": target}, body=b""))
    with pytest.raises((kind, ImagesError)) as caught:
        get("/a")
    assert isinstance(caught.value, kind) or target.partition(":")[0] in str(caught.value)


def test_what_is_not_there_is_said(server: FaultRegistry, get: Get) -> None:
    server.on("GET", "/a", Fault(status=404, body=b"no"))
    with pytest.raises(NotFound, match="/a"):
        get("/a")


def test_a_build_that_ended_fetches_no_more(server: FaultRegistry, get: Get) -> None:
    server.on("GET", "/a", Fault(status=200, body=BODY))
    with pytest.raises(Unreachable, match="the build was ended"):
        get("/a", ended=True)
