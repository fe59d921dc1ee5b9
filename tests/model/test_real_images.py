"""What Docker, skopeo and buildah write is read: hardening refuses no real image."""

from __future__ import annotations

import contextlib
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.model.config import Config
from pytest_images.model.descriptor import Descriptor
from pytest_images.model.documents import DOCUMENT_LIMIT, load_json
from pytest_images.model.manifest import Index, Manifest, parse_document
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def small_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, in folders and in tars, that may be a document: name and bytes."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size <= DOCUMENT_LIMIT:
            yield str(path), path.read_bytes()
        with contextlib.suppress(OSError, tarfile.TarError), tarfile.open(path) as tar:
            for member in tar:
                if member.isfile() and member.size <= DOCUMENT_LIMIT:
                    content = tar.extractfile(member)
                    yield f"{path}: {member.name}", content.read() if content else b""


def documents(folder: Path) -> Iterator[tuple[str, bytes, Any]]:
    for name, raw in small_files(folder):
        if raw[:1] in (b"{", b"["):
            with contextlib.suppress(ValueError):
                yield name, raw, json.loads(raw)


@pytest.mark.peer("shared")
def test_every_document_of_the_real_images_is_read(shared: Path) -> None:
    kinds = {"manifest": 0, "index": 0, "config": 0, "names": 0}
    for name, raw, document in documents(shared):
        assert load_json(raw, name) == document
        if isinstance(document, list):
            for entry in document:
                for text in entry.get("RepoTags") or ():
                    assert text in (Reference.parse(text).familiar, str(Reference.parse(text)))
                    kinds["names"] += 1
        elif "rootfs" in document:
            config = Config.parse(raw, name)
            assert [str(diff_id) for diff_id in config.diff_ids] == document["rootfs"]["diff_ids"]
            kinds["config"] += 1
        elif "schemaVersion" in document:
            _check(parse_document(raw, source=name), document)
            kinds["manifest" if "layers" in document else "index"] += 1
    assert all(kinds.values()), kinds


def _check(found: Manifest | Index, document: dict[str, Any]) -> None:
    """Every descriptor is written back as it was read."""
    if isinstance(found, Manifest):
        found.require_image("real")
        pairs = zip(
            (found.config, *found.layers), (document["config"], *document["layers"]), strict=True
        )
    else:
        pairs = zip(found.manifests, document["manifests"], strict=True)
    for descriptor, original in pairs:
        assert Descriptor.from_json(descriptor.to_json(), "again") == descriptor
        assert (
            descriptor.to_json().items()
            >= {key: original[key] for key in ("mediaType", "digest", "size")}.items()
        )
