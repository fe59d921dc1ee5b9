"""A registry that breaks the protocol: rows R of the reliability catalogue, by tag and digest."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import (
    AuthError,
    DigestMismatch,
    ImageNotFound,
    InvalidResponse,
    LimitExceeded,
    RateLimited,
    RegistryError,
    SizeMismatch,
    TlsError,
    Unreachable,
    UnsafeAddress,
)
from pytest_images.model.digest import Digest
from pytest_images.model.endpoint import Endpoint
from tests.faults.rig import CERTIFICATES, login, named, tls
from tests.faults.server import Fault, FaultRegistry, Seen
from tests.ledger import refused

if TYPE_CHECKING:
    from pytest_images.testing.samples import Sample
    from tests.faults.rig import Rig

pytestmark = pytest.mark.usefixtures("wire")
HEAVY = "/blobs/"


def layer_of(sample: Sample) -> str:
    return str(sample.manifest.layers[0].digest)


@pytest.mark.parametrize(
    "where", ["0", "1", "half", "last"], ids=["R01-0", "R01-1", "R01-half", "R01-last"]
)
def test_a_body_that_breaks_off_is_resumed_where_it_ended(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str, where: str
) -> None:
    size = sample.manifest.layers[0].size
    cut = {"0": 0, "1": 1, "half": size // 2, "last": size - 1}[where]
    registry.on("GET", layer_of(sample), Fault(cut=cut), nth=1)
    assert rig.pull(named(registry, how)).id == sample.config.id
    asked = registry.asked("GET", layer_of(sample))
    assert [seen.headers.get("range") for seen in asked][1:] == (
        [f"bytes={cut}-"] if cut else [None]
    )


@pytest.mark.parametrize("cut", [0, 700], ids=["R01-always-0", "R01-always"])
def test_a_body_that_always_breaks_off_is_given_up(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str, cut: int
) -> None:
    registry.on("GET", layer_of(sample), Fault(cut=cut, length=5000, status=200, headers={}))
    with refused((Unreachable, SizeMismatch)):  # type: ignore[arg-type]  # either says it
        rig.pull(named(registry, how))
    assert rig.leftovers() == []


@pytest.mark.parametrize("chunked", [False, True], ids=["R02-length", "R02-chunked"])
def test_more_bytes_than_the_descriptor_says_are_refused(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str, chunked: bool
) -> None:
    body = sample.layers[0] + b"x" * 4096
    registry.on("GET", layer_of(sample), Fault(body=body, chunked=chunked))
    with refused(SizeMismatch, "bytes"):
        rig.pull(named(registry, how))
    assert rig.leftovers() == []


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(Fault(status=200), id="R03-200"),
        pytest.param(Fault(headers={"Content-Range": "bytes 0-9/10"}), id="R03-other-range"),
        pytest.param(Fault(headers={"Content-Range": None}), id="R03-no-range"),
        pytest.param(Fault(status=416), id="R03-416"),
    ],
)
def test_a_resume_answered_oddly_starts_over(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str, second: Fault
) -> None:
    whole = Fault(status=200, body=sample.layers[0], headers={"Content-Range": None})
    registry.on("GET", layer_of(sample), Fault(cut=500), nth=1)
    odd = whole if second.status == 200 else second
    registry.on("GET", layer_of(sample), odd, nth=1)
    assert rig.pull(named(registry, how)).id == sample.config.id
    assert rig.store.read(sample.manifest.layers[0].digest) == sample.layers[0]


@pytest.mark.parametrize("path", ["manifests", HEAVY], ids=["R04-manifest", "R04-blob"])
@pytest.mark.parametrize(
    "fault", [Fault(reset=True), Fault(reset=True, cut=100)], ids=["head", "body"]
)
def test_a_connection_reset_is_tried_again(
    rig: Rig, registry: FaultRegistry, *, sample: Sample, how: str, path: str, fault: Fault
) -> None:
    registry.on("GET", path, fault, nth=1)
    if path == "manifests" and fault.cut is not None:
        with refused(Unreachable):
            rig.pull(named(registry, how))
        return
    assert rig.pull(named(registry, how)).id == sample.config.id


def test_an_upload_reset_after_its_last_byte_leaves_one_blob(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """R04: the blob is there already when it is looked for again."""
    with FaultRegistry() as target:
        sample.put(rig.store, f"{target}/app:1")
        target.on("PUT", layer_of(sample), Fault(reset=True), nth=1)
        target.on("PUT", f"digest=sha256%3A{layer_of(sample)[7:]}", Fault(reset=True), nth=1)
        rig.push(f"{target}/app:1")
        assert target.blobs[layer_of(sample)] == sample.layers[0]
        assert len(target.asked("PUT", f"digest=.*{layer_of(sample)[7:]}")) == 1
        assert target.uploads == {}


@pytest.mark.parametrize("status", [429, 503], ids=["R05-429", "R05-503"])
@pytest.mark.parametrize(
    ("asked", "least"),
    [
        ("0", 0.0),
        ("60", 0.3),
        ("-1", 0.0),
        ("1000000000", 0.3),
        ("garbage", 0.0),
        (format_datetime(datetime.now(UTC) + timedelta(days=400)), 0.3),
    ],
    ids=["zero", "sixty", "negative", "huge", "garbage", "date"],
)
def test_a_wait_that_is_asked_for_is_kept_up_to_its_cap(
    rig: Rig, registry: FaultRegistry, *, status: int, asked: str, least: float
) -> None:
    registry.on("GET", "manifests", Fault(status=status, headers={"Retry-After": asked}), nth=1)
    began = time.monotonic()
    rig.pull(f"{registry}/app:1")
    assert least <= time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("status", "kind"), [(429, RateLimited), (503, RegistryError)], ids=["R05-429", "R05-503"]
)
def test_a_registry_that_never_has_time_is_given_up(
    rig: Rig, registry: FaultRegistry, how: str, status: int, kind: type[RegistryError]
) -> None:
    registry.on("*", "/v2/", Fault(status=status, headers={"Retry-After": "1000000000"}))
    with refused(kind, str(status)):
        rig.pull(named(registry, how))
    assert rig.leftovers() == []


@pytest.mark.parametrize("nth", range(1, 5), ids=lambda nth: f"R06-{nth}")
def test_a_server_error_at_any_request_of_a_pull_is_survived(
    rig: Rig, registry: FaultRegistry, sample: Sample, nth: int
) -> None:
    registry.on("*", "/v2/", Fault(status=500), nth=nth)
    assert rig.pull(f"{registry}/app:1").id == sample.config.id


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT"], ids=["R06-head", "R06-post", "R06-put"])
def test_a_server_error_in_a_push_leaves_no_upload_behind(
    rig: Rig, sample: Sample, method: str
) -> None:
    with FaultRegistry() as target:
        sample.put(rig.store, f"{target}/app:1")
        target.on(method, HEAVY, Fault(status=500, forget=True), nth=1)
        if method == "HEAD":
            rig.push(f"{target}/app:1")
        else:
            with refused(RegistryError, "500"):
                rig.push(f"{target}/app:1")
            rig.push(f"{target}/app:1")
        assert target.uploads == {}
        assert target.blobs[layer_of(sample)] == sample.layers[0]


@pytest.mark.parametrize(
    "headers",
    [
        ["Basic realm=x"],
        ['Bearer realm="http://{}/token"'],
        ["Basic realm=x", 'Bearer realm="http://{}/token"'],
    ],
    ids=["R07-basic", "R07-bearer", "R07-alternating"],
)
def test_credentials_that_are_never_accepted_end_in_an_error(
    rig: Rig, registry: FaultRegistry, how: str, headers: list[str]
) -> None:
    count = iter(range(1000))

    def unauthorized(seen: Seen) -> Fault:
        text = headers[next(count) % len(headers)].format(registry)
        return Fault(status=401, headers={"WWW-Authenticate": text})

    registry.on("*", "/v2/", unauthorized)
    registry.on("GET", "/token", Fault(status=200, body=b'{"token":"t"}'))
    rig.credentials.append(login())
    with refused(AuthError, str(registry)):
        rig.pull(named(registry, how))
    assert len(registry.asked("GET", "/v2/")) <= 3
    assert rig.leftovers() == []


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        pytest.param(
            Fault(status=200, body=b"<html>"), InvalidResponse, "token", id="R08-not-json"
        ),
        pytest.param(Fault(status=200, body=b"{}"), InvalidResponse, "token", id="R08-no-token"),
        pytest.param(
            Fault(status=200, body=b'{"token":"a\\r\\nX: y"}'),
            InvalidResponse,
            "token",
            id="R08-newline",
        ),
        pytest.param(Fault(status=200, length=1 << 30), LimitExceeded, "token", id="R08-1GiB"),
        pytest.param(
            Fault(status=200, body=b" " * (2 << 20), chunked=True),
            LimitExceeded,
            "token",
            id="R08-2MiB",
        ),
        pytest.param(Fault(status=403), AuthError, "token", id="R08-403"),
    ],
)
def test_a_token_answer_that_cannot_be_used_is_refused(
    rig: Rig, registry: FaultRegistry, fault: Fault, kind: type[Exception], words: str
) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="http://{registry}/token"'}
    registry.on("*", "/v2/", Fault(status=401, headers=challenge))
    registry.on("GET", "/token", fault)
    with refused(kind, words):  # type: ignore[arg-type]  # one of ours each time
        rig.pull(f"{registry}/app:1")


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (b'{"token":"one","access_token":"two"}', "one"),
        (b'{"access_token":"two","expires_in":-1}', "two"),
        (b'{"token":"one","expires_in":1000000000000}', "one"),
    ],
    ids=["R08-both", "R08-expired", "R08-for-ever"],
)
def test_a_token_is_read_as_its_specification_says(
    rig: Rig, registry: FaultRegistry, sample: Sample, answer: bytes, shown: str
) -> None:
    def login_first(seen: Seen) -> Fault:
        if seen.headers.get("authorization") == f"Bearer {shown}":
            return Fault()
        return Fault(
            status=401, headers={"WWW-Authenticate": f'Bearer realm="http://{registry}/token"'}
        )

    registry.on("*", "/v2/", login_first)
    registry.on("GET", "/token", Fault(status=200, body=answer))
    assert rig.pull(f"{registry}/app:1").id == sample.config.id
    assert len(registry.asked("GET", "/token")) == 1


def test_an_endless_page_instead_of_an_error_is_not_read(
    rig: Rig, registry: FaultRegistry, how: str
) -> None:
    """R09: 64 KiB at most are kept of it."""
    html = {"Content-Type": "text/html"}
    registry.on(
        "GET", "manifests", Fault(status=404, length=1 << 30, body=b"<p>" * 1000, headers=html)
    )
    with refused(ImageNotFound, "app"):
        rig.pull(named(registry, how))


def test_control_codes_of_an_error_are_escaped(rig: Rig, registry: FaultRegistry, how: str) -> None:
    """R09."""
    body = b'{"errors":[{"code":"DENIED\\u001b[31m","message":"go\\u0007\\naway"}]}'
    registry.on("GET", "manifests", Fault(status=400, body=body))
    with refused(RegistryError, "DENIED\\x1b[31m: go\\x07\\naway"):
        rig.pull(named(registry, how))


def test_head_and_get_that_disagree_give_one_consistent_image(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """R10: the GET's own bytes decide, whatever the HEAD said."""
    first = rig.pull(f"{registry}/app:1")
    lie = {"Docker-Content-Digest": str(Digest.of(b"other"))}
    registry.on("HEAD", "manifests", Fault(headers=lie))
    assert rig.pull(f"{registry}/app:1").digest == first.digest == sample.manifest.digest


def test_a_tag_that_moves_between_two_requests_gives_one_of_both(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """R10: what was resolved is what is pulled."""
    from pytest_images.testing.samples import image

    moved = image("moved")

    def move(seen: Seen) -> Fault:
        registry.serve(moved)
        return Fault()

    registry.on("GET", HEAVY, move, nth=1)
    assert rig.pull(f"{registry}/app:1").id == sample.config.id
    assert rig.pull(f"{registry}/app:1").id == moved.config.id


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        pytest.param(str(Digest.of(b"wrong")), DigestMismatch, id="R11-wrong"),
        pytest.param(str(Digest.of(b"wrong", "sha512")), DigestMismatch, id="R11-wrong-sha512"),
        pytest.param("sha256:../../x", InvalidResponse, id="R11-not-a-digest"),
    ],
)
def test_a_wrong_digest_in_a_header_is_refused(
    rig: Rig, registry: FaultRegistry, how: str, stated: str, kind: type[Exception]
) -> None:
    registry.on("GET", "manifests", Fault(headers={"Docker-Content-Digest": stated}))
    with refused(kind):  # type: ignore[arg-type]  # one of ours each time
        rig.pull(named(registry, how))
    assert rig.leftovers() == []


@pytest.mark.parametrize(
    "algorithm", [None, "sha512", "md5"], ids=["R11-none", "R11-sha512", "R11-md5"]
)
def test_the_digest_computed_here_counts(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str, algorithm: str | None
) -> None:
    stated = None if algorithm is None else f"{algorithm}:00"
    if algorithm == "sha512":
        stated = str(Digest.of(sample.manifest.raw, "sha512"))
    registry.on("*", "manifests", Fault(headers={"Docker-Content-Digest": stated}))
    assert rig.pull(named(registry, how)).digest == sample.manifest.digest


@pytest.mark.parametrize("path", ["manifests", HEAVY], ids=["R12-manifest", "R12-blob"])
@pytest.mark.parametrize(
    "fault",
    [Fault(drip=0.02), Fault(stall=True, cut=10), Fault(delay=20), Fault(stall=True, cut=0)],
    ids=["drip", "stall-in-body", "silence", "stall-after-head"],
)
def test_a_server_that_is_too_slow_is_given_up(
    rig: Rig, registry: FaultRegistry, how: str, path: str, fault: Fault
) -> None:
    registry.on("GET", path, fault)
    with refused(Unreachable, "timed out"):
        rig.pull(named(registry, how))
    assert rig.leftovers() == []


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        pytest.param('</v2/app/tags/list?n=1000>; rel="next"', InvalidResponse, id="R13-itself"),
        pytest.param(
            "<http://127.0.0.2:1/v2/app/tags/list>; rel=next", UnsafeAddress, id="R13-elsewhere"
        ),
        pytest.param("<http://a b/>; rel=next", ValueError, id="R13-not-an-address"),
    ],
)
def test_a_next_page_that_leads_astray_is_refused(
    rig: Rig, registry: FaultRegistry, link: str, kind: type[Exception]
) -> None:
    registry.on("GET", "tags/list", Fault(headers={"Link": link}))
    with refused(kind):  # type: ignore[arg-type]  # one of ours each time
        rig.pull_all(f"{registry}/app", all_tags=True)


def test_pages_without_end_are_refused(rig: Rig, registry: FaultRegistry) -> None:
    """R13."""
    count = iter(range(10_000))

    def page(seen: Seen) -> Fault:
        return Fault(headers={"Link": f'</v2/app/tags/list?last={next(count)}>; rel="next"'})

    registry.on("GET", "tags/list", page)
    with refused(LimitExceeded, "pages"):
        rig.pull_all(f"{registry}/app", all_tags=True)


@pytest.mark.parametrize("tags", [10**5, 10**6], ids=["R13-10^5", "R13-10^6"])
def test_too_many_tags_are_refused(rig: Rig, registry: FaultRegistry, tags: int) -> None:
    listed = b'{"tags":[' + b",".join(b'"t%d"' % n for n in range(tags)) + b"]}"
    registry.on("GET", "tags/list", Fault(body=listed))
    with refused(LimitExceeded):
        rig.pull_all(f"{registry}/app", all_tags=True)


@pytest.mark.parametrize(
    ("location", "kind"),
    [
        pytest.param(None, InvalidResponse, id="R14-none"),
        pytest.param("http://10.0.0.1/upload", UnsafeAddress, id="R14-private"),
        pytest.param("http://169.254.169.254/latest", UnsafeAddress, id="R14-metadata"),
        pytest.param("http://user@127.0.0.1/x", ValueError, id="R14-user"),
        pytest.param("ftp://127.0.0.1/x", ValueError, id="R14-scheme"),
    ],
)
def test_an_upload_is_not_sent_where_it_must_not_go(
    rig: Rig, sample: Sample, location: str | None, kind: type[Exception]
) -> None:
    with FaultRegistry() as target:
        sample.put(rig.store, f"{target}/app:1")
        target.on("POST", "uploads", Fault(headers={"Location": location}))
        with refused(kind):  # type: ignore[arg-type]  # one of ours each time
            rig.push(f"{target}/app:1")


def test_an_upload_elsewhere_goes_without_credentials(
    rig: Rig, other: FaultRegistry, sample: Sample
) -> None:
    """R14: another origin may take the bytes, and gets nothing else."""
    rig.credentials.append(login())
    with FaultRegistry() as target:
        sample.put(rig.store, f"{target}/app:1")
        other.uploads["there"] = bytearray()
        elsewhere = f"http://{other}/v2/app/blobs/uploads/there?state=s"
        target.on("POST", "uploads", Fault(headers={"Location": elsewhere}), nth=1)
        target.on("*", "/v2/", _login_first)
        with refused(RegistryError):  # the other one keeps it, so the registry lacks it
            rig.push(f"{target}/app:1")
    assert other.asked("PUT", "state=s&digest=")
    assert "authorization" not in other.everything_heard().lower()


def _login_first(seen: Seen) -> Fault:
    if "authorization" in seen.headers:
        if seen.method == "PUT" and "manifests" in seen.target:
            return Fault(status=400, forget=True)
        return Fault()
    return Fault(status=401, headers={"WWW-Authenticate": "Basic realm=x"}, forget=True)


def test_a_mount_that_is_not_done_becomes_an_upload(rig: Rig, sample: Sample) -> None:
    """R15: 202 instead of 201."""
    with FaultRegistry() as target:
        sample.put(rig.store, f"{target}/app:1", f"{target}/base:1")
        rig.push(f"{target}/app:1")
        assert target.asked("POST", "mount=.*from=base")
        assert target.blobs[layer_of(sample)] == sample.layers[0]


def test_a_mount_that_is_done_sends_nothing(rig: Rig, sample: Sample) -> None:
    with FaultRegistry() as target:
        sample.put(rig.store, f"{target}/app:1", f"{target}/base:1")
        target.serve(sample, "base")
        target.on("HEAD", HEAVY, Fault(status=404))
        rig.push(f"{target}/app:1")
        assert not target.asked("PUT", HEAVY)


@pytest.mark.parametrize("kept", [0, 100, 2999], ids=["R15-416-0", "R15-416-100", "R15-416-2999"])
def test_a_refused_chunk_is_resumed_from_the_range_it_gives(
    rig: Rig, sample: Sample, kept: int
) -> None:
    from dataclasses import replace

    from tests.faults.rig import SMALL, Rig

    small = Rig(rig.store, replace(SMALL, monolithic=0, upload_chunk=1000))
    with FaultRegistry() as target:
        sample.put(rig.store, f"{target}/app:1")

        def refuse(seen: Seen) -> Fault:
            session = seen.path.rpartition("/")[2]
            content = target.uploads[session]
            content += seen.body
            del content[min(kept, len(content)) :]
            last = max(len(content) - 1, 0)
            return Fault(status=416, headers={"Range": f"0-{last}"}, forget=True)

        target.on("PATCH", "uploads", refuse, nth=2)
        small.push(f"{target}/app:1")
        assert target.blobs[layer_of(sample)] == sample.layers[0]
    small.host.close()
    small.client.close()


def test_a_blob_stored_under_another_digest_is_refused(rig: Rig, sample: Sample) -> None:
    """R15."""
    lie = {"Docker-Content-Digest": str(Digest.of(b"other"))}
    with FaultRegistry() as target:
        sample.put(rig.store, f"{target}/app:1")
        target.on("PUT", "blobs", Fault(headers=lie))
        with refused(DigestMismatch, "sha256:"):
            rig.push(f"{target}/app:1")


@pytest.mark.parametrize(
    ("certificate", "words"),
    [("expired", "expired"), ("other-name", "mismatch"), ("self-signed", "self-signed")],
    ids=["R16-expired", "R16-wrong-name", "R16-self-signed"],
)
@pytest.mark.parametrize("scheme", ["", "https"])
def test_a_certificate_that_is_not_believed_is_refused(
    rig: Rig, sample: Sample, certificate: str, words: str, scheme: str
) -> None:
    with FaultRegistry(tls=tls(certificate)) as registry:
        registry.serve(sample)
        authority = str(CERTIFICATES / "authority.pem")
        rig.endpoints = [Endpoint(str(registry), scheme=scheme, verify=authority)]
        with refused(TlsError, words):
            rig.pull(f"{registry}/app:1")
        assert registry.seen == []


def test_a_certificate_of_a_named_authority_is_believed(rig: Rig, sample: Sample) -> None:
    """R16: the right one works, so the refusals above are for what they say."""
    with FaultRegistry(tls=tls("good")) as registry:
        registry.serve(sample)
        rig.endpoints = [Endpoint(str(registry), verify=str(CERTIFICATES / "authority.pem"))]
        assert rig.pull(f"{registry}/app:1").id == sample.config.id


def test_https_that_was_asked_for_never_becomes_http(
    rig: Rig, registry: FaultRegistry, how: str
) -> None:
    """R16."""
    rig.endpoints = [Endpoint(str(registry), scheme="https")]
    with refused(TlsError, "TLS"):
        rig.pull(named(registry, how))
    assert registry.seen == []


def test_loopback_without_a_scheme_finds_plain_http_by_the_handshake(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str
) -> None:
    """R16: the one exception."""
    rig.endpoints = [Endpoint(str(registry))]
    assert rig.pull(named(registry, how)).id == sample.config.id
