"""Uploads and pushes that mean harm: rows V05 to V08, V10 and V11."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from pytest_images.model import media_types
from pytest_images.model.digest import Digest
from pytest_images.server.registry import Registry
from pytest_images.testing import samples
from tests.server.account import HOST, files_of, ingests, row, together, wait_until
from tests.server.talk import Client, dial, hear

if TYPE_CHECKING:
    from tests.ledger import Ledger

CONTENT = bytes(range(256)) * 40
DIGEST = Digest.of(CONTENT)
SAMPLE = samples.image("one")
OCI = media_types.OCI_MANIFEST


CHUNKS = [
    "200-299",
    "50-149",
    "0-99",
    "99-198",
    "100",
    "abc",
    "bytes=100-199",
    "100-50",
    "-1-98",
    "100-100",
    f"{2**64}-{2**64 + 99}",
]


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda chunk: f"V05-{chunk[:16]}")
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_chunk_out_of_its_place_gives_416_with_the_true_range(
    client: Client, method: str, chunk: str
) -> None:
    where = client.begin()
    client.ask("PATCH", where, CONTENT[:100], {"Content-Range": "0-99"})
    query = f"?digest={DIGEST}" if method == "PUT" else ""
    answer = client.ask(method, where + query, b"x" * 100, {"Content-Range": chunk})
    assert (answer.status, answer.headers["Range"]) == (416, "0-99")
    assert answer.location() == where
    client.ask("PATCH", where, CONTENT[100:])  # nothing was lost: it goes on from there
    assert client.ask("PUT", f"{where}?digest={DIGEST}").status == 201


@row("V05")
def test_a_missing_range_appends_and_the_first_status_is_empty(client: Client) -> None:
    where = client.begin()
    assert client.ask("GET", where).headers["Range"] == "0-0"
    client.ask("PATCH", where, CONTENT[:100])
    assert client.ask("PATCH", where, CONTENT[100:]).headers["Range"] == f"0-{len(CONTENT) - 1}"


@row("V06")
def test_of_two_clients_of_one_upload_one_comes_first(registry: Registry, client: Client) -> None:
    where = client.begin()
    seen: list[int] = []

    def patch(fill: bytes) -> None:
        other = Client(registry)
        headers = {"Content-Range": "0-99999"}
        seen.append(other.ask("PATCH", where, fill * 100_000, headers).status)
        other.close()

    together(lambda number: patch((b"a", b"b")[number]), 2)
    assert sorted(seen) == [202, 416]
    one, two = (Digest.of(fill * 100_000) for fill in (b"a", b"b"))
    results = [client.ask("PUT", f"{where}?digest={digest}").status for digest in (one,)]
    kept = [d for d in (one, two) if client.ask("HEAD", f"/v2/app/blobs/{d}").status == 200]
    assert (results, kept) in (([201], [one]), ([400], []))


@row("V06")
def test_16_pushes_of_one_blob_make_one_blob(registry: Registry, client: Client) -> None:
    content = CONTENT * 50
    digest = Digest.of(content)
    seen: list[int] = []

    def push(repository: str) -> None:
        other = Client(registry)
        path = f"/v2/{repository}/blobs/uploads/?digest={digest}"
        seen.append(other.ask("POST", path, content).status)
        other.close()

    together(lambda number: push(f"app{number % 4}"), 16)
    assert seen == [201] * 16
    assert client.ask("GET", f"/v2/app3/blobs/{digest}").body == content
    assert registry.shelf.store.path(digest).stat().st_nlink == 5
    assert ingests(registry) == []


@pytest.mark.parametrize(
    "claimed", [str(Digest.of(b"other")), "", None], ids=["V06-wrong", "V06-empty", "V06-none"]
)
@pytest.mark.parametrize("chunked", [True, False])
def test_a_wrong_digest_ends_the_upload_and_leaves_nothing(
    registry: Registry, client: Client, claimed: str | None, chunked: bool
) -> None:
    where = client.begin()
    if chunked:
        client.ask("PATCH", where, CONTENT)
    query = "" if claimed is None else f"?digest={claimed}"
    answer = client.ask("PUT", where + query, None if chunked else CONTENT)
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    assert client.ask("GET", where).status == 404
    assert files_of(registry) == []


@row("V07")
def test_an_upload_announced_too_large_is_refused_unread(client: Client) -> None:
    where = client.begin()
    client.connection.putrequest("PUT", f"{where}?digest={DIGEST}")
    client.connection.putheader("Content-Length", str(100 << 30))
    client.connection.endheaders()
    response = client.connection.getresponse()
    assert (response.status, json.loads(response.read())["errors"][0]["code"]) == (
        413,
        "SIZE_INVALID",
    )
    client.close()
    assert client.ask("GET", where).status == 404


@pytest.mark.parametrize("form", ["POST", "PUT", "PATCH"], ids=lambda form: f"V07-{form}")
def test_an_upload_that_never_ends_is_cut_at_the_limit(ledger: Ledger, form: str) -> None:
    with Registry(blob_limit=1 << 20) as registry:
        client = Client(registry)
        path = "/v2/app/blobs/uploads/" if form == "POST" else client.begin()
        query = "" if form == "PATCH" else f"?digest={DIGEST}"
        pieces = (bytes(1 << 16) for _ in range(1000))
        with contextlib.suppress(ConnectionError):
            assert client.ask(form, path + query, pieces).status == 413
        client.close()
        wait_until(lambda: files_of(registry) == [])


@pytest.mark.parametrize("method", ["POST", "PUT"], ids=lambda method: f"V07-{method}")
def test_a_client_gone_halfway_leaves_nothing(
    registry: Registry, client: Client, method: str
) -> None:
    path = "/v2/app/blobs/uploads/" if method == "POST" else client.begin()
    with dial(registry) as gone:
        head = (
            f"{method} {path}?digest={DIGEST} HTTP/1.1\r\n{HOST}\r\nContent-Length: 10240\r\n\r\n"
        )
        gone.sendall(head.encode() + CONTENT[:5000])
        wait_until(lambda: len(ingests(registry)) == 1)
    wait_until(lambda: files_of(registry) == [])


@row("V08")
def test_a_manifest_beyond_4_mebibytes_is_refused(registry: Registry, client: Client) -> None:
    client.push(SAMPLE)
    before = files_of(registry)
    raw = SAMPLE.manifest.raw
    for content in (raw + b" " * ((4 << 20) + 1 - len(raw)), iter([raw, bytes(5 << 20)])):
        with contextlib.suppress(ConnectionError):
            path = "/v2/app/manifests/large"
            answer = client.ask("PUT", path, content, {"Content-Type": OCI})
            assert (answer.status, answer.code) == (413, "SIZE_INVALID")
        client.close()
    assert files_of(registry) == before
    assert client.put_manifest(raw + b" " * ((4 << 20) - len(raw)), OCI, "just").status == 201


@pytest.mark.parametrize("case", ["V08-absent-blobs", "V08-both-shapes", "V08-other-digest"])
def test_a_bad_manifest_leaves_nothing(registry: Registry, client: Client, case: str) -> None:
    if case != "V08-absent-blobs":
        client.push(SAMPLE)
    before = files_of(registry)
    document = json.loads(SAMPLE.manifest.raw)
    if case == "V08-both-shapes":
        document["manifests"] = []
    reference = str(DIGEST) if case == "V08-other-digest" else "bad"
    answer = client.put_manifest(json.dumps(document).encode(), OCI, reference)
    assert answer.status == 400
    assert files_of(registry) == before


@row("V10")
def test_a_blob_is_only_where_it_was_put(client: Client) -> None:
    digest = client.push_blob(CONTENT, "secret")
    for query in (f"mount={digest}", f"mount={digest}&from=other", f"mount={digest}&from=app"):
        answer = client.ask("POST", f"/v2/app/blobs/uploads/?{query}")
        assert answer.status == 202, "an upload begins: that the blob exists is not told"
    assert client.ask("HEAD", f"/v2/app/blobs/{digest}").status == 404
    client.ask("DELETE", f"/v2/secret/blobs/{digest}")
    for repository in ("secret", "app"):
        assert client.ask("GET", f"/v2/{repository}/blobs/{digest}").status == 404
    assert client.ask("POST", f"/v2/app/blobs/uploads/?mount={digest}&from=secret").status == 202


@row("V11")
def test_a_reader_completes_what_is_deleted_meanwhile(registry: Registry, client: Client) -> None:
    content = os.urandom(16 << 20)
    digest = client.push_blob(content)
    with dial(registry) as reader:
        path = f"/v2/app/blobs/{digest}"
        reader.sendall(f"GET {path} HTTP/1.1\r\n{HOST}\r\nConnection: close\r\n\r\n".encode())
        begun = reader.recv(1000)
        assert client.ask("DELETE", path).status == 202
        heard = begun + hear(reader)
    assert Digest("sha256", hashlib.sha256(heard.partition(b"\r\n\r\n")[2]).hexdigest()) == digest
    assert not registry.shelf.store.has(digest)


@row("V11")
def test_an_upload_survives_the_deletion_of_its_twin(registry: Registry, client: Client) -> None:
    client.push_blob(CONTENT, "old")
    where = client.begin("new")
    client.ask("PATCH", where, CONTENT)
    assert client.ask("DELETE", f"/v2/old/blobs/{DIGEST}").status == 202
    assert client.ask("PUT", f"{where}?digest={DIGEST}").status == 201
    assert client.ask("GET", f"/v2/new/blobs/{DIGEST}").body == CONTENT


@row("V11")
def test_pushes_and_deletions_of_one_blob_at_once(registry: Registry, client: Client) -> None:
    def churn(repository: str) -> None:
        other = Client(registry)
        for _ in range(15):
            other.push_blob(CONTENT, repository)
            assert other.ask("GET", f"/v2/{repository}/blobs/{DIGEST}").body == CONTENT
            assert other.ask("DELETE", f"/v2/{repository}/blobs/{DIGEST}").status == 202
        other.close()

    together(lambda number: churn(f"app/{number}"), 6)
    assert files_of(registry) == []
