from __future__ import annotations

import json

import pytest

from pytest_images.builder.clock import creation_time, source_date_epoch
from pytest_images.builder.documents import layer_descriptor, make_config, make_manifest
from pytest_images.errors import InvalidConfiguration
from pytest_images.layer.compression import Compression
from pytest_images.model.config import History
from pytest_images.model.digest import Digest
from pytest_images.model.platform import Platform

ONE = Digest.of(b"one")


def test_a_config_holds_what_it_is_given_and_nothing_empty() -> None:
    config = make_config(
        Platform.parse("linux/arm/v7"),
        {"Cmd": ["sh"]},
        [ONE],
        [History(created="2024-01-01T00:00:00Z", comment="by hand"), History(empty_layer=True)],
        created="2024-01-01T00:00:00Z",
    )
    assert json.loads(config.raw) == {
        "created": "2024-01-01T00:00:00Z",
        "architecture": "arm",
        "os": "linux",
        "variant": "v7",
        "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [str(ONE)]},
        "history": [
            {"created": "2024-01-01T00:00:00Z", "comment": "by hand"},
            {"empty_layer": True},
        ],
    }


def test_the_variant_of_arm64_goes_without_saying() -> None:
    config = make_config(Platform.parse("linux/arm64"), {}, [], [])
    assert "variant" not in json.loads(config.raw)
    assert str(config.platform) == "linux/arm64/v8"


@pytest.mark.parametrize(
    ("compression", "media_type"),
    [
        (Compression.NONE, "application/vnd.oci.image.layer.v1.tar"),
        (Compression.GZIP, "application/vnd.oci.image.layer.v1.tar+gzip"),
        (Compression.ZSTD, "application/vnd.oci.image.layer.v1.tar+zstd"),
    ],
)
def test_a_manifest_says_how_each_layer_is_packed(
    compression: Compression, media_type: str
) -> None:
    config = make_config(Platform.parse("linux/amd64"), {}, [ONE], [])
    manifest = make_manifest(config, [layer_descriptor(ONE, 3, compression)])
    assert manifest.config.digest == config.id
    assert [(each.media_type, each.size) for each in manifest.layers] == [(media_type, 3)]


def test_the_time_is_now_unless_the_environment_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert source_date_epoch() is None
    assert creation_time() <= creation_time()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert creation_time() == "1970-01-01T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert creation_time() == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize("text", ["-1", "now", "1.5", "٣", "9" * 12, "9" * 5000])
def test_a_time_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    with pytest.raises(InvalidConfiguration, match="SOURCE_DATE_EPOCH"):
        creation_time()
