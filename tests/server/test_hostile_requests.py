"""Requests that mean harm: rows V02, V03, V04, V09, V12 and V13."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.model import media_types
from pytest_images.model.digest import Digest
from pytest_images.server.registry import Registry
from pytest_images.testing import samples
from tests.ledger import peak_memory
from tests.server.account import HOST, files_of, row
from tests.server.talk import Client, answers, say, status_of

if TYPE_CHECKING:
    pass

CONTENT = bytes(range(256)) * 40
DIGEST = Digest.of(CONTENT)
SAMPLE = samples.image("one")
OCI = media_types.OCI_MANIFEST


NAMES = [
    "../x",
    "..%2fx",
    "%2e%2e/x",
    "a%2fb",
    "%2e%2e%2f%2e%2e%2fetc",
    "a//b",
    "/a",
    "A",
    "app%00",
    "a" * 5000,
    "a/_uploads/b",
    "a/_tags",
    "a/../b",
    "./a",
    "a/.",
    "~a",
    "a%c0%af",
    "a;b",
    "-a",
]


ROUTES = [
    "tags/list",
    "manifests/1",
    f"manifests/{DIGEST}",
    f"blobs/{DIGEST}",
    "blobs/uploads/" + "0" * 32,
]


@pytest.mark.parametrize("name", NAMES, ids=[f"V02-{n}" for n in range(len(NAMES))])
def test_a_bad_name_leads_nowhere(registry: Registry, client: Client, name: str) -> None:
    for rest in ROUTES:
        answer = client.ask("GET", f"/v2/{name}/{rest}")
        assert answer.status in (400, 404)
        assert answer.json()["errors"][0]["code"]
    assert client.ask("POST", f"/v2/{name}/blobs/uploads/").status in (400, 404)
    assert client.ask("PUT", f"/v2/{name}/manifests/1", SAMPLE.manifest.raw).status in (400, 404)
    assert files_of(registry) == []


@pytest.mark.parametrize(
    "tag",
    ["a" * 129, "..", "%2e%2e", ".a", "a%00", "-", "a%2f..%2fb", "!a"],
    ids=lambda tag: f"V02-tag-{tag[:9]}",
)
def test_a_bad_tag_leads_nowhere(client: Client, tag: str) -> None:
    client.push(SAMPLE)
    path = f"/v2/app/manifests/{tag}"
    assert client.ask("PUT", path, SAMPLE.manifest.raw, {"Content-Type": OCI}).status in (400, 404)
    assert client.ask("GET", path).status in (400, 404)
    assert client.ask("GET", "/v2/app/tags/list").json()["tags"] == ["1"]


BAD_DIGESTS = [
    "sha256:../../../../etc/passwd",
    "sha256:" + "a" * 63,
    "sha256:" + "a" * 65,
    "sha256:" + "A" * 64,
    "md5:" + "a" * 32,
    "sha256:" + "g" * 64,
    "sha256",
    "sha256:",
    ":",
    "sha256:" + "a" * 62 + "/.",
]


@pytest.mark.parametrize("digest", BAD_DIGESTS, ids=[f"V03-{n}" for n in range(len(BAD_DIGESTS))])
def test_a_bad_digest_is_refused_in_every_route(
    registry: Registry, client: Client, digest: str
) -> None:
    quoted = digest.replace("/", "%2F")
    requests = [
        ("GET", f"/v2/app/blobs/{digest}"),
        ("DELETE", f"/v2/app/blobs/{digest}"),
        ("PUT", f"{client.begin()}?digest={quoted}"),
        ("POST", f"/v2/app/blobs/uploads/?digest={quoted}"),
        ("POST", f"/v2/app/blobs/uploads/?mount={quoted}&from=other"),
        ("PUT", f"/v2/app/manifests/{digest}"),
        ("GET", f"/v2/app/manifests/{digest}"),
    ]
    for method, path in requests:
        # A path of more parts, or a reference without a colon, is not a digest's route at all.
        wanted = (400,) if "?" in path or ("/" not in digest and ":" in digest) else (400, 404)
        assert client.ask(method, path).status in wanted, (method, path)
    assert files_of(registry) == []


RANGES = [
    "bytes=9-5",
    f"bytes={2**64}-",
    f"bytes=0-{2**64}",
    "bytes=-0",
    "bytes=0-1,0-1",
    "bytes=5-1,0-0",
    "bytes=" + ",".join(["0-0"] * 1500),
    "bytes=" + ",".join(["0-"] * 1500),
    "bytes",
    "=",
    "bytes=--5",
]


@pytest.mark.parametrize("asked", RANGES, ids=[f"V04-{n}" for n in range(len(RANGES))])
def test_an_odd_range_gives_416_or_the_whole(client: Client, asked: str) -> None:
    path = f"/v2/app/blobs/{client.push_blob(CONTENT)}"
    before = peak_memory()
    answer = client.ask("GET", path, headers={"Range": asked})
    assert answer.status == 416 or answer.body == CONTENT
    assert peak_memory() - before < 10 << 20


@row("V09")
@pytest.mark.parametrize("path", ["/v2/_catalog", "/v2/app/tags/list"])
def test_pages_are_clamped_and_odd_numbers_refused(client: Client, path: str) -> None:
    client.push(SAMPLE)
    for good in ("n=1000000000000", "n=1&last=%00", "last=zzz", f"last={'z' * 3000}", "last=../.."):
        assert client.ask("GET", f"{path}?{good}").status == 200, good
    for bad in ("n=-1", "n=x", "n=", "n=1.5", "n=1e3", "n=%D9%A3", "n=1&n=2", "n=" + "9" * 30):
        assert client.ask("GET", f"{path}?{bad}").status == 400, bad


PING = f"GET /v2/ HTTP/1.1\r\n{HOST}\r\n\r\n"


POST = f"POST /v2/ HTTP/1.1\r\n{HOST}\r\n"
SMUGGLED = {
    "V12-two-lengths": f"{POST}Content-Length: 0\r\nContent-Length: 30\r\n\r\n",
    "V12-length-list": f"{POST}Content-Length: 0, 30\r\n\r\n",
    "V12-te-and-cl": f"{POST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n",
    "V12-te-odd": f"{POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "V12-te-space": f"{POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "V12-bare-lf": f"GET /v2/ HTTP/1.1\n{HOST}\n\n",
    "V12-bare-lf-late": f"GET /v2/ HTTP/1.1\r\n{HOST}\nX: y\r\n\r\n",
    "V12-bare-cr": f"GET /v2/ HTTP/1.1\r\n{HOST}\r\nX: a\rContent-Length: 3\r\n\r\n",
    "V12-absolute": f"GET http://localhost/v2/ HTTP/1.1\r\n{HOST}\r\n\r\n",
    "V12-http-0.9": "GET /v2/\r\n",
    "V12-http-2": f"GET /v2/ HTTP/2.0\r\n{HOST}\r\n\r\n",
    "V12-preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "V12-two-hosts": f"GET /v2/ HTTP/1.1\r\n{HOST}\r\n{HOST}\r\n\r\n",
    "V12-no-host": "GET /v2/ HTTP/1.1\r\nX: y\r\n\r\n",
    "V12-folded": f"GET /v2/ HTTP/1.1\r\n{HOST}\r\nX: a\r\n b\r\n\r\n",
}


@pytest.mark.parametrize("text", SMUGGLED.values(), ids=SMUGGLED.keys())
def test_what_could_smuggle_a_request_is_refused_and_ends_the_connection(
    registry: Registry, text: str
) -> None:
    heard = say(registry, (text + PING).encode())
    assert status_of(heard) == 400
    assert heard.count(b"HTTP/1.1 ") == 1, "what followed was not read as a request"


@row("V12")
def test_10000_headers_are_refused(registry: Registry) -> None:
    head = f"GET /v2/ HTTP/1.1\r\n{HOST}\r\n" + "X: y\r\n" * 10_000 + "\r\n"
    heard = say(registry, head.encode())
    assert heard == b"" or status_of(heard) == 431
    assert answers(registry)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "localhost.evil.example", "10.0.0.1"],
    ids=lambda host: f"V13-{host}",
)
def test_another_name_of_this_address_is_refused(client: Client, host: str) -> None:
    answer = client.ask("GET", "/v2/_catalog", headers={"Host": host})
    assert (answer.status, answer.code) == (403, "DENIED")


@row("V13")
def test_a_web_page_gets_no_permission(client: Client) -> None:
    preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"}
    for method, headers in (
        ("OPTIONS", preflight),
        ("GET", {"Origin": "http://evil.example"}),
        ("GET", {"Sec-Fetch-Site": "cross-site"}),
        ("POST", {"Origin": "null"}),
    ):
        answer = client.ask(method, "/v2/app/blobs/uploads/", headers=headers)
        assert answer.status == 403
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        client.close()
