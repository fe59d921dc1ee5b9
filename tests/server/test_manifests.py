from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.model import media_types
from pytest_images.model.digest import Digest
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.server.registry import Registry
    from tests.server.talk import Client

SAMPLE = samples.image("one")
OTHER = samples.image("two", platform="linux/arm64")
OCI = media_types.OCI_MANIFEST


def edited(**changes: Any) -> bytes:
    document = json.loads(SAMPLE.manifest.raw) | changes
    return json.dumps({k: v for k, v in document.items() if v is not None}).encode()


@pytest.mark.parametrize("docker", [False, True])
@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_manifest_comes_back_byte_for_byte(client: Client, docker: bool, by: str) -> None:
    sample = samples.image("kinds", docker=docker)
    reference = str(sample.manifest.digest) if by == "digest" else "v1"
    client.push(sample, reference)
    answer = client.ask("GET", f"/v2/app/manifests/{reference}")
    assert (answer.status, answer.body) == (200, sample.manifest.raw)
    assert answer.headers["Content-Type"] == sample.manifest.media_type
    assert answer.headers["Docker-Content-Digest"] == str(sample.manifest.digest)


@pytest.mark.parametrize("docker", [False, True])
def test_an_index_of_two_platforms(client: Client, docker: bool) -> None:
    index = samples.index(SAMPLE, OTHER, docker=docker)
    client.push_index(index, "multi")
    answer = client.ask("GET", "/v2/app/manifests/multi")
    assert (answer.body, answer.headers["Content-Type"]) == (
        index.index.raw,
        index.index.media_type,
    )


def test_an_artifact_of_any_config_type_is_accepted(client: Client) -> None:
    blob, empty = client.push_blob(b"chart"), client.push_blob(b"{}")
    document = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "artifactType": "application/vnd.example.chart",
        "config": {"mediaType": media_types.OCI_EMPTY, "digest": str(empty), "size": 2},
        "layers": [{"mediaType": "application/x-chart", "digest": str(blob), "size": 5}],
        "subject": {"mediaType": OCI, "digest": str(Digest.of(b"absent")), "size": 6},
    }
    answer = client.put_manifest(json.dumps(document).encode(), OCI, "chart")
    assert answer.status == 201
    assert answer.headers["OCI-Subject"] is None  # we keep no referrers, so clients must


def test_layers_that_are_elsewhere_by_definition_need_not_be_here(client: Client) -> None:
    client.push_blob(SAMPLE.config.raw)
    foreign = {
        "mediaType": media_types.OCI_FOREIGN_LAYER,
        "digest": str(Digest.of(b"elsewhere")),
        "size": 9,
    }
    assert client.put_manifest(edited(layers=[foreign]), OCI, "1").status == 201


def test_a_manifest_without_a_media_type_is_what_its_content_says(client: Client) -> None:
    client.push(SAMPLE)
    raw = edited(mediaType=None)
    assert client.put_manifest(raw, "application/json", "bare").status == 201
    assert client.ask("GET", "/v2/app/manifests/bare").headers["Content-Type"] == OCI


def test_a_tag_moves(client: Client) -> None:
    client.push(SAMPLE, "latest")
    client.push(OTHER, "latest")
    assert client.ask("GET", "/v2/app/manifests/latest").body == OTHER.manifest.raw
    digest = SAMPLE.manifest.digest
    assert client.ask("GET", f"/v2/app/manifests/{digest}").body == SAMPLE.manifest.raw


def test_a_push_by_digest_can_set_tags(client: Client) -> None:
    digest = client.push(SAMPLE)
    path = f"{digest}?tag=1.2&tag=1"
    answer = client.put_manifest(SAMPLE.manifest.raw, OCI, path)
    assert (answer.status, answer.headers["OCI-Tag"]) == (201, "1.2, 1")
    assert client.ask("GET", "/v2/app/tags/list").json()["tags"] == ["1", "1.2"]


def test_a_sha512_digest_names_a_manifest(client: Client) -> None:
    client.push(SAMPLE)
    digest = Digest.of(SAMPLE.manifest.raw, "sha512")
    answer = client.put_manifest(SAMPLE.manifest.raw, OCI, str(digest))
    assert answer.headers["Docker-Content-Digest"] == str(digest)
    assert client.ask("GET", f"/v2/app/manifests/{digest}").body == SAMPLE.manifest.raw


@pytest.mark.parametrize("reference", ["absent", ".INVALID", str(Digest.of(b"absent"))])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_an_absent_manifest_is_not_found(client: Client, method: str, reference: str) -> None:
    client.push(SAMPLE)
    assert client.ask(method, f"/v2/app/manifests/{reference}").status == 404


def test_a_manifest_is_no_blob_and_a_blob_no_manifest(client: Client) -> None:
    digest = client.push(SAMPLE)
    config = SAMPLE.config.id
    assert client.ask("GET", f"/v2/app/blobs/{digest}").status == 404
    assert client.ask("GET", f"/v2/app/manifests/{config}").status == 404


def test_deleting_a_tag_leaves_the_manifest(client: Client) -> None:
    digest = client.push(SAMPLE, "gone")
    assert client.ask("DELETE", "/v2/app/manifests/gone").status == 202
    assert client.ask("GET", "/v2/app/manifests/gone").status == 404
    assert client.ask("GET", f"/v2/app/manifests/{digest}").status == 200


def test_deleting_a_manifest_takes_its_tags(client: Client) -> None:
    digest = client.push(SAMPLE, "a")
    client.push(SAMPLE, "b")
    client.push(OTHER, "c")
    assert client.ask("DELETE", f"/v2/app/manifests/{digest}").status == 202
    assert client.ask("GET", "/v2/app/tags/list").json()["tags"] == ["c"]


def test_a_damaged_manifest_is_never_served(registry: Registry, client: Client) -> None:
    digest = client.push(SAMPLE)
    path = registry.shelf.store.path(digest)
    path.chmod(0o600)
    path.write_bytes(SAMPLE.manifest.raw.replace(b"2", b"3", 1))
    answer = client.ask("GET", f"/v2/app/manifests/{digest}")
    assert (answer.status, answer.code) == (500, "UNKNOWN")


@pytest.mark.parametrize(
    ("raw", "claimed"),
    [
        (b"", OCI),
        (b"null", OCI),
        (b"[]", OCI),
        (b"{", OCI),
        (b"{}", OCI),
        (edited(schemaVersion=1), OCI),
        (edited(manifests=[]), OCI),
        (edited(layers=None), OCI),
        (edited(layers="x"), OCI),
        (edited(mediaType="text/plain"), OCI),
        (edited(), media_types.OCI_INDEX),
        (edited(), media_types.DOCKER_MANIFEST),
        (edited(mediaType=None), media_types.DOCKER_MANIFEST),
        (SAMPLE.manifest.raw[:-1] + b',"config":{}}', OCI),
        (b"[" * 100_000, OCI),
    ],
)
def test_what_is_no_manifest_is_refused(client: Client, raw: bytes, claimed: str) -> None:
    client.push(SAMPLE)
    answer = client.put_manifest(raw, claimed, "bad")
    assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")
    assert client.ask("GET", "/v2/app/manifests/bad").status == 404


def test_a_wrong_size_of_a_blob_is_refused(client: Client) -> None:
    client.push(SAMPLE)
    layers = json.loads(SAMPLE.manifest.raw)["layers"]
    layers[0]["size"] += 1
    answer = client.put_manifest(edited(layers=layers), OCI, "bad")
    assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")


def test_the_missing_blobs_are_named(client: Client) -> None:
    answer = client.put_manifest(SAMPLE.manifest.raw, OCI, "1")
    assert (answer.status, answer.code) == (400, "MANIFEST_BLOB_UNKNOWN")
    missing = answer.json()["errors"][0]["detail"]
    assert sorted(missing) == sorted(map(str, (SAMPLE.config.id, Digest.of(SAMPLE.layers[0]))))


def test_an_index_needs_its_manifests(client: Client) -> None:
    client.push(SAMPLE)
    index = samples.index(SAMPLE, OTHER).index
    answer = client.put_manifest(index.raw, index.media_type, "multi")
    assert answer.json()["errors"][0]["detail"] == [str(OTHER.manifest.digest)]


def test_a_blob_of_another_repository_does_not_count(client: Client) -> None:
    client.push(SAMPLE, repository="one")
    answer = client.put_manifest(SAMPLE.manifest.raw, OCI, "1", repository="two")
    assert answer.code == "MANIFEST_BLOB_UNKNOWN"


@pytest.mark.parametrize("tag", [".a", "-a", "a" * 129])
def test_a_bad_tag_cannot_be_pushed(client: Client, tag: str) -> None:
    client.push(SAMPLE)
    assert client.put_manifest(SAMPLE.manifest.raw, OCI, tag).code == "NAME_INVALID"
