"""The rules that only newer engines have, each as its source states it."""

from __future__ import annotations

import io
import json
import re
import tarfile
from string import Template
from typing import TYPE_CHECKING

import pytest

from tests.differential.case import values
from tests.differential.documented import ROWS
from tests.differential.gist import gists
from tests.differential.images import INDEXES, SAMPLES
from tests.differential.rules import NEWER
from tests.differential.sides import Ours, Side, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.differential.documented import Row


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTEST_IMAGES_DURABILITY", "fast")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-config"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule}: {row.source[-50:]}")
def test_a_rule_holds_as_its_source_states_it(row: Row, tmp_path: Path) -> None:
    with serving(row.served, [line for line, _ in row.steps]) as registry:
        side = Side(Ours(), tmp_path / "ours", registry)
        side.prepare(row.files)
        for line, wanted in row.steps:
            outcome = side.step(line)
            said = gists(outcome.err, "pytest-images")
            shown = f"error: {said[0]}" if said else outcome.out
            assert (outcome.status == 0) == (not said), line
            if wanted is not None:
                filled = Template(wanted).safe_substitute(side.values)
                assert _sized(shown) == _sized(filled), line


def _sized(text: str) -> str:
    """Leave out the sizes of a tree's content: they are those of the store."""
    return re.sub(r" +(?:SIZE|\d\S*B)\n", " SIZE\n", text)


def test_each_rule_that_only_newer_engines_have_is_restated() -> None:
    assert {row.rule for row in ROWS} - {"save layout"} == set(NEWER)
    assert all(row.source for row in ROWS)


# moby/moby, image/tarexport/save.go since 25: an OCI layout beside manifest.json, one set of blobs.


def test_an_archive_holds_both_lists_over_the_same_blobs(tmp_path: Path) -> None:
    side = Side(Ours(), tmp_path / "ours")
    side.prepare(["two as app:1 app:2"])
    side.step("load -q -i two.tar")
    assert side.step("save -o out.tar app:1 app:2").status == 0
    files = _files((side.folder / "out.tar").read_bytes())
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    [listed] = json.loads(files["manifest.json"])
    assert listed["RepoTags"] == ["app:1", "app:2"]
    assert listed["Config"] == f"blobs/sha256/{SAMPLES['two'].config.id.encoded}"
    assert all(layer in files for layer in listed["Layers"])
    entries = json.loads(files["index.json"])["manifests"]
    names = [entry["annotations"]["io.containerd.image.name"] for entry in entries]
    assert names == ["docker.io/library/app:1", "docker.io/library/app:2"]
    assert {entry["annotations"]["org.opencontainers.image.ref.name"] for entry in entries} == {
        "1",
        "2",
    }
    assert all(f"blobs/{entry['digest'].replace(':', '/')}" in files for entry in entries)


def _files(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        found = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: stream.read() for name, stream in found.items() if stream is not None}


def test_what_stands_for_images_in_rows_is_known() -> None:
    known = values()
    assert all(f"{name}_{arch}" in known for name in INDEXES for arch in ("amd64", "arm64"))
