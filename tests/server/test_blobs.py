from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from pytest_images.server.registry import Registry
    from tests.server.talk import Client

CONTENT = bytes(range(256)) * 1000
ABSENT = Digest.of(b"absent")


def test_head_says_what_get_would_give(client: Client) -> None:
    path = f"/v2/app/blobs/{client.push_blob(CONTENT)}"
    head, get = client.ask("HEAD", path), client.ask("GET", path)
    assert get.body == CONTENT
    assert head.body == b""
    for name in ("Content-Length", "Docker-Content-Digest", "Etag", "Content-Type"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_an_absent_blob_is_not_found(client: Client, method: str) -> None:
    answer = client.ask(method, f"/v2/app/blobs/{ABSENT}")
    assert answer.status == 404
    if method != "HEAD":
        assert answer.code == "BLOB_UNKNOWN"


@pytest.mark.parametrize(
    ("asked", "given"),
    [("bytes=0-99", (0, 100)), ("bytes=1000-", (1000, None)), ("bytes=-7", (-7, None)),
     ("bytes=100000-199999", (100_000, 200_000))],
)  # fmt: skip
def test_a_range_gives_its_part(client: Client, asked: str, given: tuple[int, int | None]) -> None:
    path = f"/v2/app/blobs/{client.push_blob(CONTENT)}"
    answer = client.ask("GET", path, headers={"Range": asked})
    part = CONTENT[given[0] : given[1]]
    assert (answer.status, answer.body) == (206, part)
    start = CONTENT.index(part) if given[0] >= 0 else len(CONTENT) - 7
    expected = f"bytes {given[0] % len(CONTENT)}-{given[0] % len(CONTENT) + len(part) - 1}/"
    assert answer.headers["Content-Range"] == f"{expected}{len(CONTENT)}", start


def test_a_range_of_something_else_gives_the_whole(client: Client) -> None:
    path = f"/v2/app/blobs/{client.push_blob(CONTENT)}"
    headers = {"Range": "bytes=0-9", "If-Range": '"sha256:other"'}
    assert client.ask("GET", path, headers=headers).status == 200
    etag = client.ask("HEAD", path).headers["Etag"]
    assert client.ask("GET", path, headers=headers | {"If-Range": etag}).body == CONTENT[:10]


def test_a_deleted_blob_is_gone_from_its_repository_and_the_disk(
    registry: Registry, client: Client
) -> None:
    digest = client.push_blob(CONTENT)
    assert client.ask("DELETE", f"/v2/app/blobs/{digest}").status == 202
    assert client.ask("GET", f"/v2/app/blobs/{digest}").status == 404
    assert not registry.shelf.store.has(digest)


def test_a_blob_stays_while_another_repository_has_it(client: Client) -> None:
    digest = client.push_blob(CONTENT, "one")
    client.push_blob(CONTENT, "two")
    client.ask("DELETE", f"/v2/one/blobs/{digest}")
    assert client.ask("GET", f"/v2/one/blobs/{digest}").status == 404
    assert client.ask("GET", f"/v2/two/blobs/{digest}").body == CONTENT


def test_a_deleted_blob_can_be_pushed_again(client: Client) -> None:
    digest = client.push_blob(CONTENT)
    client.ask("DELETE", f"/v2/app/blobs/{digest}")
    client.push_blob(CONTENT)
    assert client.ask("GET", f"/v2/app/blobs/{digest}").body == CONTENT
