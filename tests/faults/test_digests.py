"""Bytes that are not what their digest says: rows D of the reliability catalogue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import (
    DigestMismatch,
    ImagesError,
    InvalidDocument,
    InvalidResponse,
    SizeMismatch,
)
from pytest_images.model import media_types
from pytest_images.model.digest import Digest
from pytest_images.testing.samples import Sample, image
from tests.faults.rig import named
from tests.faults.server import Fault, FaultRegistry
from tests.ledger import refused

if TYPE_CHECKING:
    from tests.faults.rig import Rig

MANIFEST = media_types.OCI_MANIFEST


def dump(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "at", [0, 1500, -1, -5], ids=["D01-first", "D01-middle", "D01-last", "D01-trailer"]
)
@pytest.mark.parametrize("part", ["layer", "config"])
def test_one_flipped_bit_is_found(
    rig: Rig, registry: FaultRegistry, sample: Sample, *, how: str, part: str, at: int
) -> None:
    wanted = sample.manifest.layers[1] if part == "layer" else sample.manifest.config
    registry.on("GET", str(wanted.digest), Fault(flip=at))
    with refused(DigestMismatch, str(wanted.digest)):
        rig.pull(named(registry, how))
    assert rig.leftovers() == []
    assert not rig.store.has(wanted.digest)


def test_a_flipped_bit_of_a_pinned_manifest_is_found(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    registry.on("GET", "manifests", Fault(flip=40, headers={"Docker-Content-Digest": None}))
    with refused(DigestMismatch, str(sample.manifest.digest)):
        rig.pull(named(registry, "digest"))


@pytest.mark.parametrize(
    "digest",
    [
        "sha256:../../../../etc/passwd",
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 63,
        "sha256:" + "a" * 65,
        "md5:" + "a" * 32,
        "",
        "sha256:" + "a" * 60 + "/../",
        "sha256:" + "\u0661" * 64,
    ],
    ids=[f"D02-{name}" for name in ("path", "upper", 63, 65, "md5", "empty", "slash", "unicode")],
)
@pytest.mark.parametrize("part", ["config", "layers", "manifests"])
def test_what_is_no_digest_is_refused_before_it_is_asked_for(
    rig: Rig, registry: FaultRegistry, sample: Sample, part: str, digest: str
) -> None:
    document = json.loads(sample.manifest.raw)
    entry = {"mediaType": MANIFEST, "digest": digest, "size": 3}
    if part == "manifests":
        document = {"schemaVersion": 2, "manifests": [entry]}
    else:
        document[part] = entry if part == "config" else [entry]
    registry.document(dump(document), media_types.OCI_INDEX if part == "manifests" else MANIFEST)
    with refused(InvalidDocument):
        rig.pull(f"{registry}/app:1")
    assert len(registry.seen) == 1


def test_a_wrong_diff_id_is_kept_apart_until_somebody_looks(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """D03: a pull does not inflate; the layer is known by its own digest only."""
    document = json.loads(sample.config.raw)
    wrong = str(Digest.of(b"wrong"))
    document["rootfs"]["diff_ids"][0] = wrong
    config = dump(document)
    registry.blobs[str(Digest.of(config))] = config
    entry = {
        "mediaType": media_types.OCI_CONFIG,
        "digest": str(Digest.of(config)),
        "size": len(config),
    }
    registry.document(dump(json.loads(sample.manifest.raw) | {"config": entry}), MANIFEST)
    rig.pull(f"{registry}/app:1")
    facts = rig.store.layer(sample.manifest.layers[0].digest)
    assert facts is None or str(facts.diff_id) != wrong


@pytest.mark.parametrize("compression", ["none", "zstd"], ids=["D04-plain", "D04-zstd"])
def test_a_layer_is_stored_as_it_is_whatever_its_type_claims(
    rig: Rig, registry: FaultRegistry, compression: str
) -> None:
    sample = image("claims", compression=compression)
    document = json.loads(sample.manifest.raw)
    document["layers"][0]["mediaType"] = media_types.OCI_LAYER_GZIP
    registry.serve(sample).document(dump(document), MANIFEST)
    rig.pull(f"{registry}/app:1")
    assert rig.store.read(sample.manifest.layers[0].digest) == sample.layers[0]


def test_a_content_encoding_changes_no_byte(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str
) -> None:
    """D06: identity is asked for, and whatever comes is hashed as it is."""
    registry.on("GET", "/blobs/", Fault(headers={"Content-Encoding": "gzip"}))
    assert rig.pull(named(registry, how)).id == sample.config.id
    assert {seen.headers["accept-encoding"] for seen in registry.seen} == {"identity"}


def test_chained_encodings_are_refused(rig: Rig, registry: FaultRegistry, how: str) -> None:
    """D06."""
    chain = ", ".join(["gzip"] * 100)
    registry.on("GET", "/blobs/", Fault(headers={"Content-Encoding": chain}))
    with refused(InvalidResponse, "encoded"):
        rig.pull(named(registry, how))


def test_an_empty_blob_under_another_digest_is_refused(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str
) -> None:
    """D08."""
    registry.on("GET", str(sample.manifest.layers[0].digest), Fault(body=b""))
    with refused(SizeMismatch):
        rig.pull(named(registry, how))


def test_the_true_empty_blob_is_a_layer_like_any_other(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """D08."""
    document = json.loads(sample.manifest.raw)
    empty = {"mediaType": media_types.OCI_LAYER, "digest": str(Digest.of(b"")), "size": 0}
    document["layers"][1] = empty
    registry.blobs[str(Digest.of(b""))] = b""
    registry.document(dump(document), MANIFEST)
    rig.pull(f"{registry}/app:1")
    assert rig.store.read(Digest.of(b"")) == b""


@pytest.mark.parametrize("wrong", [False, True], ids=["D09-right", "D09-wrong"])
def test_sha512_content_is_verified_by_its_own_algorithm(
    rig: Rig, registry: FaultRegistry, sample: Sample, wrong: bool
) -> None:
    document = json.loads(sample.manifest.raw)
    for entry, content in (
        (document["layers"][0], sample.layers[0]),
        (document["config"], sample.config.raw),
    ):
        entry["digest"] = str(Digest.of(content, "sha512"))
        registry.blobs[entry["digest"]] = content
    registry.document(dump(document), MANIFEST)
    if wrong:
        registry.on("GET", document["layers"][0]["digest"], Fault(flip=3))
        with refused(DigestMismatch, "sha512:"):
            rig.pull(f"{registry}/app:1")
    else:
        pin = Digest.of(dump(document), "sha512")
        assert rig.pull(f"{registry}/app@{pin}").id == sample.config.id


def test_a_damaged_blob_is_replaced_by_the_next_pull(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """D10: a document is read whole; a layer is found by its size, else by the check."""
    rig.pull(f"{registry}/app:1")
    for digest in (
        sample.manifest.digest,
        sample.manifest.config.digest,
        sample.manifest.layers[0].digest,
    ):
        path = rig.store.path(digest)
        path.chmod(0o600)
        path.write_bytes(b"damaged")
    rig.pull(f"{registry}/app:2") if ("app", "2") in registry.manifests else rig.pull(
        f"{registry}/app:1"
    )
    assert rig.store.read(sample.manifest.digest) == sample.manifest.raw
    assert rig.store.read(sample.manifest.config.digest) == sample.config.raw
    assert rig.store.read(sample.manifest.layers[0].digest) == sample.layers[0]


def test_one_digest_with_two_sizes_is_refused(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """D11: the true size is that of the bytes that are here."""
    rig.pull(f"{registry}/app:1")
    document = json.loads(sample.manifest.raw)
    document["layers"][0]["size"] += 1
    registry.document(dump(document), MANIFEST, tag="2")
    with refused(SizeMismatch, str(sample.manifest.layers[0].digest)):
        rig.pull(f"{registry}/app:2")
    assert [str(tag) for each in rig.store.images() for tag in each.tags] == [f"{registry}/app:1"]


def test_wrong_bytes_after_a_resume_are_refused_and_not_resumed_for_ever(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str
) -> None:
    """D12."""
    layer = str(sample.manifest.layers[0].digest)
    registry.on("GET", layer, Fault(cut=500), nth=1)
    registry.on("GET", layer, Fault(flip=-1))
    with refused(DigestMismatch, layer):
        rig.pull(named(registry, how))
    assert len(registry.asked("GET", layer)) == 3
    assert rig.leftovers() == []


def test_a_resume_that_was_spliced_wrongly_is_fetched_whole_once(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """D12: the second, whole answer is right."""
    layer = str(sample.manifest.layers[0].digest)
    registry.on("GET", layer, Fault(cut=500), nth=1)
    registry.on("GET", layer, Fault(flip=-1), nth=1)
    assert rig.pull(f"{registry}/app:1").id == sample.config.id


def test_a_right_head_and_a_wrong_get_are_refused(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """D12."""
    registry.on("GET", "/blobs/", Fault(body=b"x" * 461))
    with refused(ImagesError):
        rig.pull(f"{registry}/app:1")
    assert rig.leftovers() == []
