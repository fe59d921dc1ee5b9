from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from pytest_images.errors import ImagesError, InvalidDocument, LimitExceeded
from pytest_images.model.config import HISTORY_LIMIT, Config
from pytest_images.model.digest import Digest
from pytest_images.model.manifest import LAYER_LIMIT
from pytest_images.model.platform import UNKNOWN, Platform
from pytest_images.testing import samples
from tests.ledger import refused

DIFF_ID = str(Digest.of(b"layer"))
GOOD: dict[str, Any] = {
    "os": "linux",
    "architecture": "amd64",
    "created": "2024-05-22T18:18:12Z",
    "config": {"Env": ["PATH=/bin"], "Labels": {"a": "1"}},
    "rootfs": {"type": "layers", "diff_ids": [DIFF_ID]},
    "history": [{"created_by": "ADD x /"}, {"created_by": "CMD", "empty_layer": True}],
}
BAD: dict[str, Any] = {
    "no rootfs": {"rootfs": None},
    "rootfs a list": {"rootfs": []},
    "diff IDs text": {"rootfs": {"diff_ids": DIFF_ID}},
    "diff IDs of numbers": {"rootfs": {"diff_ids": [1]}},
    "diff IDs null inside": {"rootfs": {"diff_ids": [None]}},
    "a diff ID with a path": {"rootfs": {"diff_ids": ["sha256:../../x"]}},
    "diff IDs in two cases": {"rootfs": {"diff_ids": [], "Diff_IDs": []}},
    "history an object": {"history": {}},
    "history of text": {"history": ["ADD"]},
    "history's author a number": {"history": [{"author": 1}]},
    "an empty layer said in text": {"history": [{"empty_layer": "true"}]},
    "created a number": {"created": 1},
    "author a list": {"author": []},
    "os a number": {"os": 1},
    "variant false": {"variant": False},
    "rootfs in two cases": {"RootFS": {}},
    "a bad setting": {"config": {"User": "-1"}},
}


# What other builders write, restated: each was made by a tool that Docker gets along with.
SHAPES: dict[str, dict[str, Any]] = {
    "nix: keys as a person typed them": {"config": {"cmd": ["/bin/x"], "Env": None}, "history": []},
    "nix: made at the epoch": {"created": "1970-01-01T00:00:01+00:00", "history": [{}]},
    "bazel: no history, no settings": {"config": {}, "history": None, "author": "Bazel"},
    "ko: no date": {"created": "0001-01-01T00:00:00Z", "config": {"Entrypoint": ["/ko-app/x"]}},
    "kaniko: author in each line": {"history": [{"author": "kaniko", "created": "0001-01-01"}]},
    "jib: exposed ports and empty volumes": {"config": {"ExposedPorts": {"80": {}}, "Volumes": {}}},
    "docker: what classic builds left": {
        "container": "4c1d",
        "container_config": {"Cmd": ["/bin/sh", "-c", "#(nop) "], "User": "", "Labels": None},
        "docker_version": "20.10.24",
        "config": {"ArgsEscaped": True, "Image": "sha256:1", "OnBuild": None, "Hostname": ""},
    },
    "buildkit: its own keys": {"moby.buildkit.buildinfo.v1": "e30=", "variant": ""},
    "windows": {"os": "windows", "os.version": "10.0.17763.1", "config": {"User": "Ada Lovelace"}},
    "scratch: nothing in it": {"rootfs": {"type": "layers", "diff_ids": None}, "history": None},
}


def dump(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_a_config_that_breaks_a_rule_is_refused(change: dict[str, Any]) -> None:
    with refused(InvalidDocument, "the config"):
        Config.parse(dump(GOOD | change), "the config")


@pytest.mark.parametrize("raw", [b"null", b"[]", b'""', b"", b"{}", b'{"rootfs": 1}'])
def test_what_is_not_a_config_is_refused(raw: bytes) -> None:
    with refused(InvalidDocument):
        Config.parse(raw)


@pytest.mark.parametrize("count", [HISTORY_LIMIT + 1, 10**6])
def test_a_history_without_end_is_refused(count: int) -> None:
    raw = dump(GOOD | {"history": []}).replace(b"[]", b"[" + b",".join([b"{}"] * count) + b"]")
    with refused(LimitExceeded):
        Config.parse(raw)


def test_more_diff_ids_than_an_image_has_layers_are_refused() -> None:
    with refused(LimitExceeded, "diff IDs"):
        Config.parse(dump(GOOD | {"rootfs": {"diff_ids": [DIFF_ID] * (LAYER_LIMIT + 1)}}))


def test_a_config_says_what_it_was_read_from() -> None:
    raw = json.dumps(GOOD, indent=3).encode() + b"\n"
    config = Config.parse(raw)
    assert config.raw == raw
    assert config.id == Digest.of(raw)
    assert config.platform == Platform("linux", "amd64")
    assert config.diff_ids == (Digest.parse(DIFF_ID),)
    assert [line.empty_layer for line in config.history] == [False, True]
    assert (config.settings.environment, config.labels) == ({"PATH": "/bin"}, {"a": "1"})


@pytest.mark.parametrize(
    ("change", "platform"),
    [
        ({"os": "", "architecture": ""}, Platform("linux", "unknown")),
        ({"os": None, "variant": None}, Platform("linux", "amd64")),
        ({"architecture": "arm", "variant": "v6"}, Platform("linux", "arm", "v6")),
        ({"os": "windows", "os.version": "10.0"}, Platform("windows", "amd64")),
        ({"os": "a b"}, UNKNOWN),
        ({"architecture": "x" * 10**6}, UNKNOWN),
    ],
    ids=["empty", "null", "variant", "windows", "odd", "long"],
)
def test_a_config_with_an_odd_platform_is_still_an_image(change: Any, platform: Platform) -> None:
    assert Config.parse(dump(GOOD | change)).platform == platform


def test_a_config_in_the_case_that_go_also_takes_is_read() -> None:
    config = Config.parse(dump({"RootFS": {"Diff_IDs": [DIFF_ID]}, "OS": "linux"}))
    assert config.diff_ids == (Digest.parse(DIFF_ID),)


@pytest.mark.parametrize("change", SHAPES.values(), ids=SHAPES.keys())
def test_what_other_builders_write_is_read(change: dict[str, Any]) -> None:
    config = Config.parse(dump(GOOD | change))
    assert config.document == GOOD | change


def test_what_one_user_does_to_the_document_no_other_user_sees() -> None:
    config = Config.parse(dump(GOOD))
    config.document["config"]["Env"].append("LEAK=1")
    config.document["rootfs"]["diff_ids"].clear()
    assert config.document == GOOD
    assert pickle.loads(pickle.dumps(config)).document == GOOD


@pytest.mark.parametrize("write", ["labels", "environment"])
def test_what_two_images_share_cannot_be_changed(write: str) -> None:
    first, second = Config.parse(dump(GOOD)), Config.parse(dump(GOOD))
    with pytest.raises(TypeError):
        getattr(first.settings, write)["LEAK"] = "1"
    assert first.settings == second.settings


@pytest.mark.parametrize(
    "name", ["pytest-images.lease", "io.pytest-images.keep", "org.opencontainers.image.ref.name"]
)
def test_a_label_is_data_whatever_it_is_called(name: str) -> None:
    config = Config.parse(dump(GOOD | {"config": {"Labels": {name: "true"}}}))
    plain = Config.parse(dump(GOOD | {"config": {"Labels": {}}}))
    assert config.labels == {name: "true"}
    assert (config.platform, config.history) == (plain.platform, plain.history)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_there_is_one_diff_id_for_each_layer(count: int) -> None:
    sample = samples.image(layers=2)
    sample.config.require_layers_of(sample.manifest, "x")
    other = Config.parse(dump(GOOD | {"rootfs": {"diff_ids": [DIFF_ID] * count}}))
    with refused(InvalidDocument, f"{count} diff IDs for 2 layers"):
        other.require_layers_of(sample.manifest, "x")


def test_a_config_travels_compares_and_hashes() -> None:
    config = Config.parse(dump(GOOD))
    assert pickle.loads(pickle.dumps(config)) == config
    assert hash(config) == hash(Config.parse(dump(GOOD)))


def test_a_config_cut_anywhere_is_refused() -> None:
    raw = samples.image().config.raw
    for end in range(len(raw)):
        with pytest.raises(ImagesError):
            Config.parse(raw[:end])
