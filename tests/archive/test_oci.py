from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.errors import (
    DigestMismatch,
    ImagesError,
    InvalidArchive,
    InvalidDocument,
    InvalidReference,
    LimitExceeded,
    NotAnImage,
    PlatformNotFound,
    SizeMismatch,
)
from pytest_images.model import media_types
from pytest_images.model.platform import Platform
from pytest_images.testing import samples
from tests.archive.packed import described, dump, packed, path_of, unpacked

if TYPE_CHECKING:
    from tests.archive.conftest import Loading

AMD = samples.image("amd")
ARM = samples.image("arm", platform="linux/arm64")
BOTH = samples.index(ARM, AMD)
UNKNOWN = {"os": "unknown", "architecture": "unknown"}


def names(found: Any) -> list[list[str]]:
    return [[name.familiar for name in each.references] for each in found]


def layout(*entries: dict[str, Any], blobs: dict[Any, bytes]) -> bytes:
    """An OCI archive whose index.json lists *entries*."""
    files = {path_of(raw): raw for raw in blobs.values()}
    index = {"schemaVersion": 2, "manifests": list(entries)}
    return packed(
        {**files, "oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": dump(index)}
    )


def entry(sample: samples.Sample | samples.SampleIndex, **annotations: str) -> dict[str, Any]:
    document = sample.manifest if isinstance(sample, samples.Sample) else sample.index
    return {**document.descriptor.to_json(), "annotations": annotations}


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_an_image_keeps_its_bytes_whatever_its_compression(load: Loading, compression: str) -> None:
    sample = samples.image(compression=compression, layers=3)
    (found,) = load(sample.archive("app:1"))
    assert found.manifest == sample.manifest and found.config == sample.config
    assert names([found]) == [["app:1"]]
    assert all(load.store.read(digest) == raw for digest, raw in sample.blobs.items())
    facts = [load.store.layer(layer.digest) for layer in found.manifest.layers]
    assert [fact and fact.diff_id for fact in facts] == list(sample.config.diff_ids)
    assert [fact and fact.content_size for fact in facts] == [1000] * 3


def test_of_an_index_the_host_s_image_is_taken(
    load: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_images.archive.load.host_platform", lambda: Platform.parse("arm64"))
    (found,) = load(BOTH.archive("app:1"))
    assert (found.config.id, found.index) == (ARM.config.id, BOTH.index.digest)
    assert load.store.read(BOTH.index.digest) == BOTH.index.raw
    assert not load.store.has(AMD.manifest.digest)


def test_of_an_index_without_the_host_s_all_are_taken_and_the_first_named(
    load: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Platform.parse("linux/riscv64")
    monkeypatch.setattr("pytest_images.archive.load.host_platform", lambda: host)
    found = load(BOTH.archive("app:1"))
    assert [each.config.id for each in found] == [ARM.config.id, AMD.config.id]
    assert names(found) == [["app:1"], []]


def test_the_platforms_asked_for_are_taken_in_that_order(load: Loading) -> None:
    wanted = [Platform.parse("linux/amd64"), Platform.parse("linux/arm64")]
    found = load(BOTH.archive("app:1"), wanted)
    assert [each.config.platform for each in found] == wanted


def test_a_platform_that_is_not_there_is_refused(load: Loading) -> None:
    with load.refused(PlatformNotFound, "linux/s390x", "linux/amd64"):
        load(BOTH.archive("app:1"), [Platform.parse("linux/s390x")])


def test_attestations_are_never_taken_for_images(load: Loading) -> None:
    attestation = described(b"{}", media_types.OCI_MANIFEST, platform=UNKNOWN)
    entries = [attestation, AMD.manifest.descriptor.to_json()]
    index = dump({"schemaVersion": 2, "manifests": entries})
    blobs: dict[Any, bytes] = {**AMD.blobs, "index": index, "attestation": b"{}"}
    (found,) = load(layout(described(index, media_types.OCI_INDEX), blobs=blobs))
    assert found.config.id == AMD.config.id


def test_of_two_entries_for_one_platform_the_first_counts(load: Loading) -> None:
    other = samples.image("other")
    index = samples.index(AMD, other)
    (found,) = load(index.archive("app:1"), [Platform.parse("amd64")])
    assert found.config.id == AMD.config.id


def test_a_platform_the_index_does_not_state_is_read_from_the_config(load: Loading) -> None:
    index = dump(
        {"schemaVersion": 2, "manifests": [s.manifest.descriptor.to_json() for s in (AMD, ARM)]}
    )
    archive = layout(described(index, media_types.OCI_INDEX), blobs={**BOTH.blobs, "index": index})
    (found,) = load(archive, [Platform.parse("arm64")])
    assert found.config.id == ARM.config.id


def test_one_name_for_several_manifests_means_its_platforms(load: Loading) -> None:
    same = {"org.opencontainers.image.ref.name": "app:1"}
    archive = layout(entry(AMD, **same), entry(ARM, **same), blobs=BOTH.blobs)
    (found,) = load(archive, [Platform.parse("arm64")])
    assert (found.config.id, names([found])) == (ARM.config.id, [["app:1"]])


def test_several_names_of_one_image_are_put_together(load: Loading) -> None:
    found = load(AMD.archive("app:1", "other.test/app:2"))
    assert names(found) == [["app:1", "other.test/app:2"]]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("docker.io/library/app:1", ["app:1"]),
        ("app", ["app:latest"]),
        ("latest", ["latest:latest"]),
        ("v1+build", []),
        ("", []),
    ],
)
def test_a_reference_name_is_a_name_where_it_can_be_one(
    load: Loading, annotation: str, expected: list[str]
) -> None:
    key = "org.opencontainers.image.ref.name"
    assert names(load(layout(entry(AMD, **{key: annotation}), blobs=AMD.blobs))) == [expected]


@pytest.mark.parametrize(
    "name", ["UPPER", "app", "app@sha256:" + "0" * 64, "../x:1", "a b:1", "a\x1b:1"]
)
def test_a_bad_image_name_is_refused(load: Loading, name: str) -> None:
    archive = layout(entry(AMD, **{"io.containerd.image.name": name}), blobs=AMD.blobs)
    with load.refused(InvalidReference):
        load(archive)


def test_sha512_content_is_verified_by_its_own_algorithm(load: Loading) -> None:
    from pytest_images.model.digest import Digest

    layer = AMD.layers[0]
    digest = Digest.of(layer, "sha512")
    manifest = json.loads(AMD.manifest.raw)
    manifest["layers"][0]["digest"] = str(digest)
    files = {path_of(raw): raw for raw in (AMD.config.raw, dump(manifest))}
    files[f"blobs/sha512/{digest.encoded}"] = layer
    index = {"schemaVersion": 2, "manifests": [described(dump(manifest), media_types.OCI_MANIFEST)]}
    (_found,) = load(packed({**files, "index.json": dump(index)}))
    assert load.store.read(digest) == layer
    files[f"blobs/sha512/{digest.encoded}"] = layer + b"x"
    with load.refused(DigestMismatch, str(digest)):
        load(packed({**files, "index.json": dump(index)}))


def test_a_sha512_diff_id_is_verified_too(load: Loading) -> None:
    from pytest_images.model.digest import Digest

    config = AMD.config.document
    config["rootfs"]["diff_ids"] = [str(Digest.of(AMD.tars[0], "sha512"))]
    (found,) = load(remade(config=dump(config)))
    assert load.store.layer(AMD.manifest.layers[0].digest) == (
        found.config.diff_ids[0],
        10240,
        1000,
    )
    config["rootfs"]["diff_ids"] = [str(Digest.of(b"other", "sha512"))]
    with pytest.raises(DigestMismatch):
        load(remade(config=dump(config)))


def remade(
    config: bytes = AMD.config.raw,
    layers: Any = ...,
    blobs: tuple[bytes, ...] = AMD.layers,
    **fields: Any,
) -> bytes:
    """AMD's archive with another config, other layers or other fields of its manifest."""
    manifest = json.loads(AMD.manifest.raw)
    manifest["config"] = described(config, media_types.OCI_CONFIG)
    if layers is not ...:
        manifest["layers"] = layers
    raw = dump({**manifest, **fields})
    contents = {n: content for n, content in enumerate((config, raw, *blobs))}
    return layout(described(raw, media_types.OCI_MANIFEST), blobs=contents)


def config_with(diff_ids: list[str]) -> bytes:
    return dump({**AMD.config.document, "rootfs": {"type": "layers", "diff_ids": diff_ids}})


ONE = described(AMD.layers[0], media_types.OCI_LAYER_GZIP)
DIFF = str(AMD.config.diff_ids[0])
WRONG = "sha256:" + "0" * 64
NOT_TAR = b"\x1f\x8b not gzip"
DEEP = b"[" * 1_000_000

REFUSALS: dict[str, tuple[bytes, type[ImagesError], list[str]]] = {
    "M01 layers and manifests": (remade(manifests=[]), InvalidDocument, ["both"]),
    "M01 media type of an index": (
        remade(mediaType=media_types.OCI_INDEX),
        InvalidDocument,
        ["contradicts"],
    ),
    "M02 duplicate key": (
        remade(config=b'{"os":"a","os":"b","rootfs":{}}'),
        InvalidDocument,
        ["twice"],
    ),
    "M02 NaN": (remade(config=b'{"a":NaN,"rootfs":{}}'), InvalidDocument, ["NaN"]),
    "M02 text behind": (remade(config=b"{} {}"), InvalidDocument, ["JSON"]),
    "M03 config of 4 MiB and a byte": (
        remade(config=b'{"rootfs":{}}'.ljust((4 << 20) + 1)),
        LimitExceeded,
        ["4194304"],
    ),
    "M05 257 layers": (remade(layers=[ONE] * 257), LimitExceeded, ["layers", "256"]),
    "M06 nesting": (remade(config=b'{"a":' + DEEP + b"}"), LimitExceeded, ["nesting"]),
    "M07 size of another": (remade(layers=[{**ONE, "size": 5}]), SizeMismatch, ["5"]),
    "M07 negative size": (remade(layers=[{**ONE, "size": -1}]), InvalidDocument, ["byte count"]),
    "M08 fewer diff IDs": (remade(layers=[ONE, ONE]), InvalidDocument, ["1 diff IDs for 2 layers"]),
    "M08 more diff IDs": (remade(config=config_with([DIFF] * 2)), InvalidDocument, ["2 diff IDs"]),
    "M08 no diff IDs": (remade(config=config_with([])), InvalidDocument, ["0 diff IDs"]),
    "M09 config of a chart": (
        remade(blobs=(*AMD.layers, b"{}"), config=b"{}", artifactType="x"),
        ImagesError,
        ["rootfs"],
    ),
    "M16 config is null": (remade(config=b"null"), InvalidDocument, ["object"]),
    "M16 layers is null": (
        remade(layers=None),
        InvalidDocument,
        ["list"],
    ),
    "M16 a layer is text": (remade(layers=["x"]), InvalidDocument, ["descriptor"]),
    "M16 schema 1": (remade(schemaVersion=1), InvalidDocument, ["schemaVersion 1"]),
    "D02 digest with a path": (
        remade(layers=[{**ONE, "digest": "sha256:../../../etc/passwd"}]),
        InvalidDocument,
        ["digest"],
    ),
    "D02 upper case": (
        remade(layers=[{**ONE, "digest": WRONG.upper()}]),
        InvalidDocument,
        ["digest"],
    ),
    "D03 diff ID of something else": (
        remade(config=config_with([WRONG])),
        DigestMismatch,
        [WRONG, DIFF],
    ),
    "D04 xz layer": (
        remade(
            layers=[described(b"\xfd7zXZ\0more", media_types.OCI_LAYER)], blobs=(b"\xfd7zXZ\0more",)
        ),
        ImagesError,
        ["xz"],
    ),
    "D07 broken gzip": (
        remade(layers=[described(NOT_TAR, media_types.OCI_LAYER_GZIP)], blobs=(NOT_TAR,)),
        ImagesError,
        ["gzip"],
    ),
    "layer that is not there": (remade(blobs=()), InvalidArchive, ["is not in it"]),
    "no image at all": (layout(blobs={}), InvalidArchive, ["no image"]),
    "another layout version": (
        packed({"index.json": b"{}", "oci-layout": b'{"imageLayoutVersion":"2.0.0"}'}),
        InvalidArchive,
        ["2.0.0"],
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_wrong_document_refuses_the_archive(load: Loading, case: str) -> None:
    archive, kind, words = REFUSALS[case]
    with load.refused(kind, *words):
        load(archive)


def test_an_artifact_is_not_an_image(load: Loading) -> None:
    manifest = json.loads(AMD.manifest.raw)
    manifest["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
    raw = dump(manifest)
    with load.refused(NotAnImage, "helm"):
        load(layout(described(raw, media_types.OCI_MANIFEST), blobs={**AMD.blobs, "m": raw}))


def test_a_layer_s_bytes_decide_and_not_its_media_type(
    load: Loading, caplog: pytest.LogCaptureFixture
) -> None:
    zstd = samples.image("amd", compression="zstd")
    wrong = described(zstd.layers[0], media_types.OCI_LAYER_GZIP)
    (found,) = load(remade(layers=[wrong], blobs=zstd.layers))
    assert found.config.id == AMD.config.id
    assert "zstd" in caplog.text


def test_a_blob_under_the_name_of_another_is_refused(load: Loading) -> None:
    files = unpacked(AMD.archive("app:1"))
    path = path_of(AMD.layers[0])
    for place in (0, len(AMD.layers[0]) // 2, -1):
        damaged = bytearray(AMD.layers[0])
        damaged[place] ^= 1
        with load.refused(DigestMismatch, path.rpartition("/")[2]):
            load(packed({**files, path: bytes(damaged)}))


def test_bytes_behind_a_layer_s_end_belong_to_its_digest(load: Loading) -> None:
    sample = samples.image(compression="none")
    files = unpacked(sample.archive("app:1"))
    path = path_of(sample.layers[0])
    with load.refused(DigestMismatch):
        load(packed({**files, path: sample.layers[0] + b"x"}))


def nested(depth: int) -> bytes:
    """Indexes inside indexes, AMD at the bottom; each lists the next twice."""
    raw, media_type = AMD.manifest.raw, AMD.manifest.media_type
    blobs: dict[Any, bytes] = dict(AMD.blobs)
    for level in range(depth):
        inner = [described(raw, media_type)] * 2
        raw, media_type = dump({"schemaVersion": 2, "manifests": inner}), media_types.OCI_INDEX
        blobs[level] = raw
    return layout(described(raw, media_type), blobs=blobs)


def test_indexes_may_nest_four_deep(load: Loading) -> None:
    (found,) = load(nested(4))
    assert found.config.id == AMD.config.id


@pytest.mark.parametrize("depth", [5, 30])
def test_deeper_nesting_is_refused_in_linear_time(load: Loading, depth: int) -> None:
    with load.refused(LimitExceeded, "nested indexes"):
        load(nested(depth))


def test_many_manifests_are_refused(load: Loading) -> None:
    with load.refused(LimitExceeded, "manifests"):
        load(layout(*[entry(AMD)] * 1001, blobs=AMD.blobs))


def test_manifests_of_an_index_that_were_not_saved_are_passed_over(load: Loading) -> None:
    blobs = {digest: raw for digest, raw in BOTH.blobs.items() if digest not in ARM.blobs}
    (found,) = load(layout(entry(BOTH), blobs=blobs))
    assert found.config.id == AMD.config.id
    with load.refused(PlatformNotFound, "linux/arm64"):
        load(layout(entry(BOTH), blobs=blobs), [Platform.parse("arm64")])
