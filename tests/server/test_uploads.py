from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from pytest_images.model.digest import Digest
from pytest_images.server import uploads
from tests.server.account import ingests, wait_until
from tests.server.talk import Client, dial

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.server.registry import Registry

CONTENT = bytes(range(256)) * 40
DIGEST = Digest.of(CONTENT)


def in_one_request(client: Client) -> int:
    path = f"/v2/app/blobs/uploads/?digest={DIGEST}"
    return client.ask("POST", path, CONTENT).status


def post_then_put(client: Client) -> int:
    return client.ask("PUT", f"{client.begin()}?digest={DIGEST}", CONTENT).status


def in_a_stream(client: Client) -> int:
    answer = client.ask("PATCH", client.begin(), iter([CONTENT[:7], CONTENT[7:]]))
    assert answer.headers["Range"] == f"0-{len(CONTENT) - 1}"
    return client.ask("PUT", f"{answer.location()}?digest={DIGEST}").status


def in_chunks(client: Client) -> int:
    where, half = client.begin(), len(CONTENT) // 2
    for start, end in ((0, half), (half, len(CONTENT))):
        headers = {"Content-Range": f"{start}-{end - 1}"}
        answer = client.ask("PATCH", where, CONTENT[start:end], headers)
        assert (answer.status, answer.headers["Range"]) == (202, f"0-{end - 1}")
        where = answer.location()
    return client.ask("PUT", f"{where}?digest={DIGEST}").status


def last_chunk_in_the_put(client: Client) -> int:
    where = client.ask("PATCH", client.begin(), CONTENT[:100]).location()
    headers = {"Content-Range": f"100-{len(CONTENT) - 1}"}
    return client.ask("PUT", f"{where}?digest={DIGEST}", CONTENT[100:], headers).status


def by_put_in_a_stream(client: Client) -> int:
    return client.ask("PUT", f"{client.begin()}?digest={DIGEST}", iter([CONTENT])).status


WAYS = [in_one_request, post_then_put, in_a_stream, in_chunks, last_chunk_in_the_put,
        by_put_in_a_stream]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_blob_arrives_whole(client: Client, way: Callable[[Client], int]) -> None:
    assert way(client) == 201
    answer = client.ask("GET", f"/v2/app/blobs/{DIGEST}")
    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["Docker-Content-Digest"] == str(DIGEST)


def test_the_answer_says_where_the_blob_is(client: Client) -> None:
    answer = client.ask("POST", f"/v2/app/blobs/uploads/?digest={DIGEST}", CONTENT)
    assert answer.location() == f"/v2/app/blobs/{DIGEST}"
    assert client.ask("HEAD", answer.location()).headers["Content-Length"] == str(len(CONTENT))


def test_a_stream_of_many_megabytes_arrives_whole(client: Client) -> None:
    piece, hasher = bytes(1 << 20), hashlib.sha256()
    for _ in range(64):
        hasher.update(piece)
    where = client.begin()
    assert client.ask("PATCH", where, (piece for _ in range(64))).status == 202
    digest = f"sha256:{hasher.hexdigest()}"
    assert client.ask("PUT", f"{where}?digest={digest}").status == 201
    head = client.ask("HEAD", f"/v2/app/blobs/{digest}")
    assert head.headers["Content-Length"] == str(64 << 20)


def test_the_empty_blob_is_a_blob(client: Client) -> None:
    digest = client.push_blob(b"")
    answer = client.ask("GET", f"/v2/app/blobs/{digest}")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("query", ["?digest-algorithm=sha512", ""])
def test_other_algorithms_than_sha256(client: Client, query: str) -> None:
    digest = Digest.of(CONTENT, "sha512")
    where = client.ask("PATCH", client.begin(query=query), CONTENT).location()
    assert client.ask("PUT", f"{where}?digest={digest}").status == 201
    assert client.ask("GET", f"/v2/app/blobs/{digest}").body == CONTENT
    assert client.ask("GET", f"/v2/app/blobs/{DIGEST}").status == 404


def test_an_unknown_algorithm_is_refused(client: Client) -> None:
    answer = client.ask("POST", "/v2/app/blobs/uploads/?digest-algorithm=md5")
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


def test_the_status_of_an_upload(client: Client) -> None:
    where = client.begin()
    assert client.ask("GET", where).headers["Range"] == "0-0"
    client.ask("PATCH", where, CONTENT[:100])
    answer = client.ask("GET", where)
    assert (answer.status, answer.headers["Range"], answer.location()) == (204, "0-99", where)


def test_an_upload_goes_on_after_its_connection_was_cut(registry: Registry, client: Client) -> None:
    where = client.begin()
    with dial(registry) as cut:
        head = (
            f"PATCH {where} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(CONTENT)}\r\n\r\n"
        )
        cut.sendall(head.encode() + CONTENT[:3000])
        wait_until(lambda: ingests(registry) == [3000])
    got = int(client.ask("GET", where).headers["Range"].partition("-")[2]) + 1
    headers = {"Content-Range": f"{got}-{len(CONTENT) - 1}"}
    assert client.ask("PATCH", where, CONTENT[got:], headers).status == 202
    assert client.ask("PUT", f"{where}?digest={DIGEST}").status == 201


def test_a_cancelled_upload_is_unknown(client: Client) -> None:
    where = client.begin()
    client.ask("PATCH", where, CONTENT)
    assert client.ask("DELETE", where).status == 204
    answer = client.ask("GET", where)
    assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_an_upload_belongs_to_its_repository(client: Client) -> None:
    where = client.begin("app").replace("/app/", "/other/")
    assert client.ask("PATCH", where, CONTENT).status == 404


def test_a_mount_shares_a_blob(registry: Registry, client: Client) -> None:
    digest = client.push_blob(CONTENT, "one")
    answer = client.ask("POST", f"/v2/two/blobs/uploads/?mount={digest}&from=one")
    assert (answer.status, answer.location()) == (201, f"/v2/two/blobs/{digest}")
    assert client.ask("GET", f"/v2/two/blobs/{digest}").body == CONTENT
    assert registry.shelf.store.path(digest).stat().st_nlink == 3


def test_what_is_pushed_twice_is_stored_once(registry: Registry, client: Client) -> None:
    for repository in ("one", "two", "three"):
        client.push_blob(CONTENT, repository)
    assert registry.shelf.store.path(DIGEST).stat().st_nlink == 4


def test_old_uploads_make_room_for_new_ones(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SESSION_LIMIT", 3)
    first, *rest = [client.begin() for _ in range(4)]
    assert client.ask("GET", first).status == 404
    assert [client.ask("GET", where).status for where in rest] == [204] * 3


def test_an_upload_that_nobody_touches_ends(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = client.begin()
    monkeypatch.setattr(uploads, "SESSION_SECONDS", -1.0)
    client.begin()
    assert client.ask("GET", old).status == 404


def test_a_second_request_of_one_upload_waits_for_the_first(
    registry: Registry, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "BUSY_SECONDS", 0.1)
    where = client.begin()
    with dial(registry) as slow:
        head = f"PATCH {where} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
        slow.sendall(head.encode() + b"12345")
        wait_until(lambda: ingests(registry) == [5])
        assert client.ask("PATCH", where, b"other").status == 409
