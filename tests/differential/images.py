"""The images that cases name, small and the same on every machine, each with its own time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pytest_images.model.config import Config
from pytest_images.model.digest import Digest
from pytest_images.model.manifest import Manifest
from pytest_images.testing import samples
from pytest_images.testing.samples import Sample

HISTORY = [
    {"created": "2023-03-04T05:06:07Z", "created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
    {
        "created": "2023-03-04T05:06:08.123456789Z",
        "created_by": '/bin/sh -c #(nop)  CMD ["/bin/sh"]',
        "empty_layer": True,
    },
    {
        "created": "2023-03-05T00:00:00Z",
        "created_by": "RUN /bin/sh -c apk add --no-cache curl ca-certificates git # buildkit",
        "comment": "buildkit.dockerfile.v0",
    },
]
SETTINGS = {
    "User": "app:app",
    "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
    "Env": ["PATH=/usr/bin:/bin", "EMPTY=", "A=b c"],
    "Entrypoint": ["/entry", "--flag"],
    "Cmd": ["run", "a b"],
    "Volumes": {"/data": {}},
    "WorkingDir": "/srv",
    "Labels": {"org.example.team": "images", "plain": ""},
    "StopSignal": "SIGINT",
    "OnBuild": ["RUN make"],
    "Shell": ["/bin/bash", "-c"],
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5000000000},
}


def _changed(sample: Sample, **fields: Any) -> Sample:
    """Return *sample* with other fields in its config, its layers unchanged."""
    document = sample.config.document | fields
    config = Config.parse(json.dumps(document, separators=(",", ":")).encode())
    manifest = json.loads(sample.manifest.raw)
    manifest["config"] |= {"digest": str(config.id), "size": len(config.raw)}
    raw = json.dumps(manifest, separators=(",", ":")).encode()
    return replace(sample, config=config, manifest=Manifest.parse(raw))


SAMPLES = {
    "one": _changed(samples.image("one", docker=True), created="2020-01-02T03:04:05Z"),
    "two": _changed(
        samples.image("two", layers=2, docker=True, labels={"team": "a", "tier": "web"}),
        created="2021-01-02T03:04:05.678901234Z",
    ),
    "three": _changed(
        samples.image("three", layers=3, size=123_456, docker=True, labels={"team": "b"}),
        created="2022-01-02T03:04:05Z",
    ),
    # Its ID begins with the digit that the ID of *one* begins with.
    "alike": _changed(samples.image("alike-0", docker=True), created="2017-01-02T03:04:05Z"),
    "twin": _changed(samples.image("two", layers=2, docker=True), created="2018-01-02T03:04:05Z"),
    "rich": _changed(
        samples.image("rich", layers=2, docker=True),
        created="2023-03-05T00:00:00Z",
        author="Someone <someone@example.org>",
        config=SETTINGS,
        history=HISTORY,
    ),
    "bare": _changed(samples.image("bare", docker=True), config={}, created=None, history=[]),
    "timeless": _changed(
        samples.image("timeless", docker=True), created="0001-01-01T00:00:00Z", history=[]
    ),
    "ancient": _changed(
        samples.image("ancient", docker=True),
        created="1500-01-01T00:00:00Z",
        history=[{"created": "1999-12-31T23:59:59Z", "created_by": "make"}],
    ),
    "arm": _changed(
        samples.image("arm", platform="linux/arm64", docker=True), created="2019-01-02T03:04:05Z"
    ),
}
INDEXES = {
    "both": samples.index(
        samples.image("both", docker=True),
        samples.image("both", platform="linux/arm64", docker=True),
        docker=True,
    ),
}


def chain_ids(config: Config) -> list[str]:
    """Return the chain IDs of an image's layers (OCI image-spec, config.md)."""
    chain: list[str] = []
    for diff_id in config.diff_ids:
        whole = f"{chain[-1]} {diff_id}".encode() if chain else None
        chain.append(str(diff_id) if whole is None else str(Digest.of(whole)))
    return chain


def known_digests() -> set[str]:
    """Return the hex of everything whose digest is the same on every machine."""
    known: set[str] = set()
    every = [*SAMPLES.values(), *(image for each in INDEXES.values() for image in each.images)]
    for sample in every:
        digests = [*sample.blobs, *sample.config.diff_ids]
        known.update(digest.encoded for digest in digests)
        known.update(text.partition(":")[2] for text in chain_ids(sample.config))
    known.update(index.index.digest.encoded for index in INDEXES.values())
    return known
