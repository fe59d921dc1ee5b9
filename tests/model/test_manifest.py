from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from pytest_images.errors import ImagesError, InvalidDocument, LimitExceeded, NotAnImage
from pytest_images.model import media_types
from pytest_images.model.digest import Digest
from pytest_images.model.manifest import (
    INDEX_LIMIT,
    LAYER_LIMIT,
    Index,
    Manifest,
    parse_document,
)
from pytest_images.testing import samples
from tests.ledger import refused

CONFIG = {"mediaType": media_types.OCI_CONFIG, "digest": str(Digest.of(b"{}")), "size": 2}
LAYER = {"mediaType": media_types.OCI_LAYER_GZIP, "digest": str(Digest.of(b"x")), "size": 1}
MANIFEST: dict[str, Any] = {"schemaVersion": 2, "config": CONFIG, "layers": [LAYER]}
ENTRY = {"mediaType": media_types.OCI_MANIFEST, "digest": str(Digest.of(b"y")), "size": 1}
INDEX: dict[str, Any] = {"schemaVersion": 2, "manifests": [ENTRY]}

BOTH = MANIFEST | INDEX
MANIFEST_TYPES = [media_types.OCI_MANIFEST, media_types.DOCKER_MANIFEST]
INDEX_TYPES = [media_types.OCI_INDEX, media_types.DOCKER_INDEX]
BAD = {
    "both readings": BOTH,
    "both, said to be an index": BOTH | {"mediaType": media_types.OCI_INDEX},
    "both, said to be a manifest": BOTH | {"mediaType": media_types.OCI_MANIFEST},
    "a config beside manifests": INDEX | {"config": CONFIG},
    "an index said to be a manifest": INDEX | {"mediaType": media_types.OCI_MANIFEST},
    "a manifest said to be an index": MANIFEST | {"mediaType": media_types.DOCKER_INDEX},
    "no version": {"config": CONFIG, "layers": [LAYER]},
    "version 1": MANIFEST | {"schemaVersion": 1},
    "version 2.0": MANIFEST | {"schemaVersion": 2.0},
    "version true": MANIFEST | {"schemaVersion": True},
    "version text": MANIFEST | {"schemaVersion": "2"},
    "schema 1": {"schemaVersion": 1, "name": "x", "tag": "y", "fsLayers": [], "history": []},
    "schema 1 said to be 2": {"schemaVersion": 2, "fsLayers": [], "history": []},
    "nothing but a version": {"schemaVersion": 2},
    "layers null": MANIFEST | {"layers": None},
    "layers text": MANIFEST | {"layers": ""},
    "layers an object": MANIFEST | {"layers": {}},
    "one layer null": MANIFEST | {"layers": [LAYER, None]},
    "one layer a list": MANIFEST | {"layers": [[]]},
    "one layer text": MANIFEST | {"layers": [""]},
    "no config": {"schemaVersion": 2, "layers": [LAYER]},
    "config null": MANIFEST | {"config": None},
    "manifests null": INDEX | {"manifests": None},
    "manifests an object": INDEX | {"manifests": {}},
    "one manifest null": INDEX | {"manifests": [None]},
    "media type a number": MANIFEST | {"mediaType": 1},
    "media type unknown": MANIFEST | {"mediaType": "application/json"},
    "layers in another case": {"schemaVersion": 2, "config": CONFIG, "Layers": [LAYER]},
    "layers in two cases": MANIFEST | {"Layers": []},
    "manifests in another case": MANIFEST | {"Manifests": []},
    "media type in another case": MANIFEST | {"mediatype": media_types.OCI_INDEX},
}


def dump(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize("document", BAD.values(), ids=BAD.keys())
def test_what_can_be_read_two_ways_or_none_is_refused_in_every_reading(document: Any) -> None:
    raw = dump(document)
    for claim in ("", *MANIFEST_TYPES, *INDEX_TYPES):
        for read in (parse_document, Manifest.parse, Index.parse):
            with refused(InvalidDocument, "the source"):
                read(raw, claim, "the source")


@pytest.mark.parametrize("raw", [b"null", b"[]", b'""', b"0", b"", b"{}", b"[[]]"])
def test_what_is_not_an_object_is_neither_manifest_nor_index(raw: bytes) -> None:
    for read in (parse_document, Manifest.parse, Index.parse):
        with refused(InvalidDocument):
            read(raw)


@pytest.mark.parametrize("claim", INDEX_TYPES)
def test_a_manifest_delivered_as_an_index_is_refused(claim: str) -> None:
    for stated in ({}, {"mediaType": media_types.OCI_MANIFEST}):
        with refused(InvalidDocument, "contradicts"):
            parse_document(dump(MANIFEST | stated), claim)


@pytest.mark.parametrize("claim", MANIFEST_TYPES)
def test_an_index_delivered_as_a_manifest_is_refused(claim: str) -> None:
    for stated in ({}, {"mediaType": media_types.DOCKER_INDEX}):
        with refused(InvalidDocument, "contradicts"):
            parse_document(dump(INDEX | stated), claim)


@pytest.mark.parametrize(
    ("document", "claim", "found"),
    [
        (MANIFEST, "", media_types.OCI_MANIFEST),
        (MANIFEST, media_types.DOCKER_MANIFEST, media_types.DOCKER_MANIFEST),
        (MANIFEST, media_types.DOCKER_MANIFEST + "; charset=utf-8", media_types.DOCKER_MANIFEST),
        (MANIFEST, "application/json", media_types.OCI_MANIFEST),
        (MANIFEST, "text/html", media_types.OCI_MANIFEST),
        (
            MANIFEST | {"mediaType": media_types.OCI_MANIFEST},
            media_types.DOCKER_MANIFEST,
            media_types.OCI_MANIFEST,
        ),
        (INDEX, "", media_types.OCI_INDEX),
        (INDEX, media_types.DOCKER_INDEX, media_types.DOCKER_INDEX),
    ],
)
def test_the_bytes_decide_what_a_document_is(document: Any, claim: str, found: str) -> None:
    assert parse_document(dump(document), claim).media_type == found


def test_the_bytes_are_kept_as_they_came() -> None:
    raw = b" " + json.dumps(MANIFEST, indent=7).encode() + b"\n\n"
    manifest = Manifest.parse(raw)
    assert manifest.raw == raw
    assert manifest.descriptor.digest == manifest.digest == Digest.of(raw)
    assert manifest.descriptor.size == len(raw)


def test_manifests_and_indexes_travel_compare_and_hash() -> None:
    for document in (parse_document(dump(MANIFEST)), parse_document(dump(INDEX))):
        assert pickle.loads(pickle.dumps(document)) == document
        assert hash(document) == hash(parse_document(document.raw))


@pytest.mark.parametrize("count", [0, 1, 127, LAYER_LIMIT])
def test_as_many_layers_as_any_engine_takes_are_read(count: int) -> None:
    assert len(Manifest.parse(dump(MANIFEST | {"layers": [LAYER] * count})).layers) == count


@pytest.mark.parametrize("count", [LAYER_LIMIT + 1, 20_000, 10**5])
def test_more_layers_than_the_limit_are_refused(count: int) -> None:
    tiny = '{"digest":"' + str(Digest.of(b"x")) + '","size":1}'
    raw = dump(MANIFEST | {"layers": []}).replace(b"[]", f"[{','.join([tiny] * count)}]".encode())
    with refused(LimitExceeded):
        Manifest.parse(raw)


@pytest.mark.parametrize("count", [INDEX_LIMIT + 1, 10**5])
def test_more_manifests_than_the_limit_are_refused(count: int) -> None:
    raw = dump(INDEX | {"manifests": []}).replace(b"[]", b"[" + b",".join([b"{}"] * count) + b"]")
    with refused(LimitExceeded):
        Index.parse(raw)
    assert len(Index.parse(dump(INDEX | {"manifests": [ENTRY] * INDEX_LIMIT})).manifests) == 1000


def test_an_annotation_of_ten_megabytes_is_refused() -> None:
    with refused(LimitExceeded, "size"):
        Manifest.parse(dump(MANIFEST | {"annotations": {"a": "x" * (10 << 20)}}))


@pytest.mark.parametrize(
    ("config", "layer"),
    [
        (media_types.OCI_CONFIG, media_types.OCI_LAYER_ZSTD),
        (media_types.DOCKER_CONFIG, media_types.DOCKER_LAYER_GZIP),
        (media_types.DOCKER_CONFIG, media_types.DOCKER_FOREIGN_LAYER),
        (media_types.OCI_CONFIG, media_types.DOCKER_LAYER + ".zstd"),
        (media_types.OCI_CONFIG, media_types.OCI_LAYER_GZIP + "+encrypted"),
    ],
)
def test_a_container_image_is_one_by_its_media_types(config: str, layer: str) -> None:
    of_types(config, layer).require_image("x")


@pytest.mark.parametrize(
    ("config", "layer"),
    [
        ("application/vnd.cncf.helm.config.v1+json", media_types.OCI_LAYER),
        ("application/vnd.buildkit.cacheconfig.v0", media_types.OCI_LAYER_GZIP),
        (media_types.OCI_EMPTY, "application/vnd.example.data"),
        (media_types.OCI_CONFIG, "application/vnd.in-toto+json"),
        (media_types.OCI_CONFIG, "application/vnd.dev.cosign.simplesigning.v1+json"),
        (media_types.DOCKER_CONFIG, ""),
        ("", media_types.OCI_LAYER),
    ],
)
def test_charts_signatures_and_attestations_are_not_images(config: str, layer: str) -> None:
    with refused(NotAnImage, "the artifact"):
        of_types(config, layer).require_image("the artifact")


def of_types(config: str, layer: str) -> Manifest:
    document = MANIFEST | {
        "config": CONFIG | {"mediaType": config},
        "layers": [LAYER | {"mediaType": layer}],
    }
    return Manifest.parse(dump(document))


@pytest.mark.parametrize("docker", [True, False])
def test_a_sample_is_read_whichever_reader_is_asked(docker: bool) -> None:
    sample = samples.image(docker=docker)
    assert parse_document(sample.manifest.raw) == Manifest.parse(sample.manifest.raw)
    index = samples.index(sample, docker=docker).index
    assert parse_document(index.raw) == index


def test_a_document_cut_anywhere_is_refused() -> None:
    raw = samples.image().manifest.raw
    for end in range(len(raw)):
        with pytest.raises(ImagesError):
            parse_document(raw[:end])
