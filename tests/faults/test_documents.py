"""Manifests, indexes and configs that confuse: rows M of the reliability catalogue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.errors import (
    ImageNotFound,
    ImagesError,
    InvalidDocument,
    LimitExceeded,
    NotAnImage,
    PlatformNotFound,
    SizeMismatch,
)
from pytest_images.model import media_types
from pytest_images.model.descriptor import platform_to_json
from pytest_images.model.digest import Digest
from pytest_images.model.platform import Platform
from pytest_images.testing.samples import Sample, image, index
from tests.faults.rig import named
from tests.faults.server import Fault, FaultRegistry
from tests.ledger import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.rig import Rig

MANIFEST, INDEX = media_types.OCI_MANIFEST, media_types.OCI_INDEX
AMD64, ARM64 = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")


def dump(document: object) -> bytes:
    return json.dumps(document).encode()


def describe(raw: bytes, media_type: str, **more: object) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(raw)), "size": len(raw), **more}


def listed(*entries: dict[str, Any]) -> bytes:
    return dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)})


def entry(sample: Sample, **more: object) -> dict[str, Any]:
    platform = platform_to_json(sample.config.platform)
    return describe(sample.manifest.raw, MANIFEST, **({"platform": platform} | more))


def changed(sample: Sample, **fields: object) -> bytes:
    """The sample's manifest with some fields replaced."""
    return dump(json.loads(sample.manifest.raw) | fields)


def with_config(
    registry: FaultRegistry, sample: Sample, config: bytes, media_type: str = media_types.OCI_CONFIG
) -> FaultRegistry:
    """Have the sample with another config, well referred to."""
    registry.blobs[str(Digest.of(config))] = config
    return registry.document(changed(sample, config=describe(config, media_type)), MANIFEST)


@pytest.mark.parametrize(
    ("fields", "claimed"),
    [
        pytest.param({"manifests": []}, MANIFEST, id="M01-both-as-manifest"),
        pytest.param({"manifests": []}, INDEX, id="M01-both-as-index"),
        pytest.param({}, INDEX, id="M01-header-says-index"),
        pytest.param({"mediaType": INDEX}, MANIFEST, id="M01-field-says-index"),
    ],
)
def test_a_document_that_reads_two_ways_is_refused(
    rig: Rig,
    registry: FaultRegistry,
    *,
    sample: Sample,
    how: str,
    fields: dict[str, Any],
    claimed: str,
) -> None:
    registry.document(changed(sample, **fields), claimed)
    with refused(InvalidDocument):
        rig.pull(named(registry, how))
    assert rig.leftovers() == []


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda raw: raw.replace(b"{", b'{"config":1,', 1), id="M02-doubled-key"),
        pytest.param(lambda raw: raw.replace(b"{", b'{"Config":{},', 1), id="M02-case"),
        pytest.param(lambda raw: raw.replace(b"{", b'{"x":NaN,', 1), id="M02-nan"),
        pytest.param(lambda raw: raw.replace(b"{", b'{"x":"\\ud800",', 1), id="M02-surrogate"),
        pytest.param(lambda raw: raw + b"{}", id="M02-trailing"),
        pytest.param(lambda raw: b"\xef\xbb\xbf" + raw, id="M02-bom"),
        pytest.param(lambda raw: raw.replace(b"{", b'{"x":' + b"[" * 10**6, 1), id="M06-nesting"),
        pytest.param(
            lambda raw: raw.replace(b"{", b'{"x":' + b"9" * 10**6 + b",", 1), id="M06-digits"
        ),
        pytest.param(lambda raw: raw.replace(b'"size":', b'"size":-'), id="M07-negative"),
        pytest.param(
            lambda raw: raw.replace(b'"size":', b'"size":9223372036854775808,"y":'), id="M07-2^63"
        ),
        pytest.param(lambda raw: raw.replace(b'"size":', b'"size":1.5,"y":'), id="M07-float"),
        pytest.param(lambda raw: raw.replace(b'"size":', b'"size":"7","y":'), id="M07-text"),
        pytest.param(lambda raw: b"null", id="M16-null"),
        pytest.param(lambda raw: b"[]", id="M16-list"),
        pytest.param(lambda raw: b'""', id="M16-text"),
        pytest.param(lambda raw: b"", id="M16-nothing"),
        pytest.param(
            lambda raw: raw.replace(b'"layers":', b'"layers":null,"y":'), id="M16-layers-null"
        ),
        pytest.param(
            lambda raw: raw.replace(b'"layers":', b'"layers":"","y":'), id="M16-layers-text"
        ),
        pytest.param(
            lambda raw: raw.replace(b'"layers": [', b'"layers":[null,'), id="M16-layer-null"
        ),
        pytest.param(
            lambda raw: raw.replace(b'"schemaVersion":2', b'"schemaVersion":1').replace(
                b'"schemaVersion": 2', b'"schemaVersion": 1'
            ),
            id="M16-schema-1",
        ),
    ],
)
def test_a_broken_document_is_refused(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str, edit: Callable[[bytes], bytes]
) -> None:
    raw = edit(
        dump(json.loads(sample.manifest.raw))
        .replace(b'": ', b'":')
        .replace(b'"layers":[', b'"layers": [')
    )
    registry.document(raw, MANIFEST)
    with refused(ImagesError):
        rig.pull(named(registry, how))
    assert rig.leftovers() == []


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(body=b" " * ((4 << 20) + 1)), id="M03-announced"),
        pytest.param(Fault(body=b" " * ((4 << 20) + 1), chunked=True), id="M03-chunked"),
        pytest.param(Fault(body=b" " * ((4 << 20) + 1), length=-1), id="M03-unannounced"),
    ],
)
def test_a_manifest_that_is_too_large_is_refused_not_cut(
    rig: Rig, registry: FaultRegistry, how: str, fault: Fault
) -> None:
    registry.on("GET", "manifests", fault)
    with refused(LimitExceeded, str(4 << 20)):
        rig.pull(named(registry, how))


def test_a_manifest_announced_smaller_than_it_is_is_refused(
    rig: Rig, registry: FaultRegistry, how: str
) -> None:
    """M03: what is announced is what is read, and that is not the document."""
    registry.on("GET", "manifests", Fault(length=100))
    with refused(ImagesError):
        rig.pull(named(registry, how))


def test_an_index_nested_too_deep_is_refused(rig: Rig, registry: FaultRegistry, how: str) -> None:
    """M04: at the fifth level, however deep it is."""
    raw = listed()
    for _ in range(30):
        registry.document(raw, INDEX)
        raw = listed(describe(raw, INDEX))
    registry.document(raw, INDEX)
    with refused(LimitExceeded, "nesting"):
        rig.pull(named(registry, how))
    assert len(registry.asked("GET", "manifests")) <= 6


@pytest.mark.parametrize("whole", [False, True])
def test_a_document_shared_by_many_is_asked_for_once(
    rig: Rig, registry: FaultRegistry, sample: Sample, whole: bool
) -> None:
    """M04: each digest once, so a graph costs what it has, not what its paths are."""
    raw, level = sample.manifest.raw, describe(sample.manifest.raw, MANIFEST)
    for _ in range(3):
        raw = listed(level, level, level)
        registry.document(raw, INDEX)
        level = describe(raw, INDEX)
    rig.pull(f"{registry}/app:1", whole_index=whole)
    asked = [seen.target for seen in registry.asked("GET", "manifests")]
    assert len(asked) == len(set(asked)) == 4


@pytest.mark.parametrize(
    ("key", "count", "media_type"),
    [("layers", 300, MANIFEST), ("manifests", 1001, INDEX), ("layers", 20000, MANIFEST)],
    ids=["M05-300-layers", "M05-1001-entries", "M05-20000-layers"],
)
def test_more_entries_than_allowed_are_refused(
    rig: Rig, registry: FaultRegistry, *, sample: Sample, key: str, count: int, media_type: str
) -> None:
    many = [describe(b"x", MANIFEST)] * count
    raw = changed(sample, layers=many) if key == "layers" else listed(*many)
    registry.document(raw, media_type)
    with refused(LimitExceeded):
        rig.pull(f"{registry}/app:1")


@pytest.mark.parametrize(
    "config", ["history", "nesting", "digits", "large"], ids=lambda n: f"M05-M06-{n}"
)
def test_a_config_beyond_its_limits_is_refused(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str, config: str
) -> None:
    document = json.loads(sample.config.raw)
    raw = {
        "history": dump(document | {"history": [{}] * 20_000}),
        "nesting": sample.config.raw.replace(b"{", b'{"x":' + b"[" * 10**6, 1),
        "digits": sample.config.raw.replace(b"{", b'{"x":' + b"9" * 10**6 + b",", 1),
        "large": dump(document | {"x": "y" * (5 << 20)}),
    }[config]
    with_config(registry, sample, raw)
    with refused(ImagesError):
        rig.pull(named(registry, how))
    assert rig.leftovers() == []


@pytest.mark.parametrize("offset", [-1, 1], ids=["M07-smaller", "M07-larger"])
@pytest.mark.parametrize("part", ["config", "layer"])
def test_a_size_unlike_the_blob_is_refused(
    rig: Rig, registry: FaultRegistry, sample: Sample, part: str, offset: int
) -> None:
    document = json.loads(sample.manifest.raw)
    (document["config"] if part == "config" else document["layers"][1])["size"] += offset
    registry.document(dump(document), MANIFEST)
    with refused(SizeMismatch):
        rig.pull(f"{registry}/app:1")
    assert rig.leftovers() == []


@pytest.mark.parametrize("diff_ids", [0, 1, 3], ids=["M08-none", "M08-fewer", "M08-more"])
def test_diff_ids_that_do_not_fit_the_layers_are_refused(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str, diff_ids: int
) -> None:
    document = json.loads(sample.config.raw)
    document["rootfs"]["diff_ids"] = (document["rootfs"]["diff_ids"] * 2)[:diff_ids]
    with_config(registry, sample, dump(document))
    with refused(InvalidDocument, "diff IDs"):
        rig.pull(named(registry, how))
    assert rig.leftovers() == []


@pytest.mark.parametrize(
    "media_type",
    ["application/vnd.oci.empty.v1+json", "application/vnd.cncf.helm.config.v1+json", ""],
    ids=["M09-artifact", "M09-chart", "M09-untyped"],
)
def test_what_is_not_an_image_is_said_to_be_none(
    rig: Rig, registry: FaultRegistry, sample: Sample, how: str, media_type: str
) -> None:
    with_config(registry, sample, b"{}", media_type)
    with refused(NotAnImage, "config"):
        rig.pull(named(registry, how))
    assert not registry.asked("GET", "/blobs/")


@pytest.mark.parametrize("first", ["attestation", "unknown", "doubled"], ids=lambda n: f"M10-{n}")
def test_the_choice_of_a_platform_is_stable(
    rig: Rig, registry: FaultRegistry, sample: Sample, first: str
) -> None:
    later = image("later")
    for each in (sample, later):
        registry.serve(each)
    attestation = {"vnd.docker.reference.type": "attestation-manifest"}
    before = {
        "attestation": [entry(later, annotations=attestation)],
        "unknown": [entry(later, platform={"os": "unknown", "architecture": "unknown"})],
        "doubled": [],
    }[first]
    registry.document(listed(*before, entry(sample), entry(later)), INDEX)
    assert rig.pull(f"{registry}/app:1", platforms=(AMD64,)).id == sample.config.id


def test_a_platform_that_is_not_there_is_named_with_those_that_are(
    rig: Rig, registry: FaultRegistry, how: str
) -> None:
    """M10."""
    registry.serve(index(image("a", platform="linux/s390x"), image("b", platform="linux/ppc64le")))
    with refused(PlatformNotFound, "linux/s390x", "linux/ppc64le"):
        rig.pull(named(registry, how), platforms=(AMD64,))


def test_an_entry_without_a_platform_is_looked_into(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """M10."""
    arm = image("arm", platform="linux/arm64")
    registry.serve(arm).serve(sample)
    silent = [describe(each.manifest.raw, MANIFEST) for each in (sample, arm)]
    registry.document(listed(*silent), INDEX)
    assert rig.pull(f"{registry}/app:1", platforms=(ARM64,)).id == arm.config.id


def test_a_fall_back_is_taken_in_the_order_given(rig: Rig, registry: FaultRegistry) -> None:
    arm, s390 = image("arm", platform="linux/arm64"), image("z", platform="linux/s390x")
    registry.serve(index(s390, arm))
    wanted = (Platform.parse("linux/riscv64"), ARM64, Platform.parse("linux/s390x"))
    assert rig.pull(f"{registry}/app:1", platforms=wanted).id == arm.config.id


def test_a_single_image_of_another_platform_than_asked_for_is_refused(
    rig: Rig, registry: FaultRegistry, how: str
) -> None:
    registry.serve(image("arm", platform="linux/arm64"))
    with refused(PlatformNotFound, "linux/amd64"):
        rig.pull(named(registry, how), platforms=(AMD64,))
    assert rig.leftovers() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("Volumes", {"../../etc": {}}, id="M11-volumes"),
        pytest.param("WorkingDir", "../" * 1000, id="M11-working-dir"),
        pytest.param("Env", ["NO_EQUALS", "A=\nB"], id="M12-env"),
        pytest.param("Labels", {"org.pytest-images.keep": "no"}, id="M13-label"),
    ],
)
def test_a_config_is_data_and_stays_as_it_is(
    rig: Rig, registry: FaultRegistry, sample: Sample, key: str, value: object
) -> None:
    """M11 to M13: pulling runs nothing, so it changes and obeys nothing."""
    document = json.loads(sample.config.raw)
    document["config"][key] = value
    with_config(registry, sample, dump(document))
    pulled = rig.pull(f"{registry}/app:1")
    assert rig.store.config_of(pulled.id).raw == dump(document)


@pytest.mark.parametrize(
    ("key", "value"),
    [("User", "4294967296"), ("User", "-1"), ("User", "x" * (1 << 20)), ("Env", ["A=\0B"])],
    ids=["M12-wraps", "M12-negative", "M12-1MiB", "M12-nul"],
)
def test_a_user_or_variable_that_cannot_be_one_is_refused(
    rig: Rig, registry: FaultRegistry, sample: Sample, key: str, value: object
) -> None:
    document = json.loads(sample.config.raw)
    document["config"][key] = value
    with_config(registry, sample, dump(document))
    with refused((InvalidDocument, LimitExceeded), key):  # type: ignore[arg-type]  # either says it
        rig.pull(f"{registry}/app:1")
    assert rig.leftovers() == []


def test_a_config_changed_by_one_user_is_not_seen_by_another(
    rig: Rig, registry: FaultRegistry
) -> None:
    """M14."""
    pulled = rig.pull(f"{registry}/app:1")
    first: Any = rig.store.config_of(pulled.id).document
    try:
        first["config"]["Env"].append("LEAK=1")
    except (TypeError, AttributeError):
        return  # it cannot even be changed
    assert "LEAK=1" not in rig.store.config_of(pulled.id).document["config"]["Env"]


def test_with_tag_and_digest_the_digest_rules(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """M15."""
    other = image("other")
    registry.serve(other, tag="2")
    pulled = rig.pull(f"{registry}/app:2@{sample.manifest.digest}")
    assert pulled.id == sample.config.id
    assert pulled.tags == ()


def test_a_digest_of_another_repository_is_not_found_in_this_one(
    rig: Rig, registry: FaultRegistry, sample: Sample
) -> None:
    """M15: that its bytes are here already proves nothing."""
    rig.pull(f"{registry}/app:1")
    with refused(ImageNotFound, "private"):
        rig.pull(f"{registry}/private@{sample.manifest.digest}")
