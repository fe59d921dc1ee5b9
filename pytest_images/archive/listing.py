"""What an archive says of itself: ``index.json``, ``manifest.json`` and ``repositories``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_images.archive.oci import NAME, REF_NAME
from pytest_images.dataclass import dataclass, replace
from pytest_images.model import media_types
from pytest_images.model.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_images.archive.save import Chosen
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.reference import Reference

LAYOUT = b'{"imageLayoutVersion": "1.0.0"}'


@dataclass(frozen=True, slots=True)
class Entry:
    """One image as Docker's lists have it: where its config and layers are, and its names."""

    config: str
    layers: Sequence[str]
    references: Sequence[Reference]


def index(images: Iterable[Chosen]) -> bytes:
    """Return ``index.json``: an entry a name, one for an image without."""
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_INDEX,
        "manifests": [entry.to_json() for image in images for entry in _descriptors(image)],
    }
    return _dump(document)


def docker(entries: Sequence[Entry]) -> dict[str, bytes]:
    """Return ``manifest.json``, and ``repositories`` where there are names, by path."""
    listed = [
        {
            "Config": entry.config,
            "RepoTags": [name.familiar for name in entry.references] or None,
            "Layers": list(entry.layers),
        }
        for entry in entries
    ]
    documents = {"manifest.json": _dump(listed) + b"\n"}
    if repositories := _repositories(entries):
        documents["repositories"] = _dump(repositories) + b"\n"
    return documents


def _descriptors(image: Chosen) -> list[Descriptor]:
    root = image.root.descriptor
    if isinstance(image.root, Manifest):
        root = replace(root, platform=image.config.platform)
    if not image.references:
        return [root]
    return [
        replace(root, annotations={NAME: str(name), REF_NAME: str(name.tag)})
        for name in image.references
    ]


def _repositories(entries: Sequence[Entry]) -> dict[str, dict[str, str]]:
    """Return what Docker before 1.10 read: names by repository and tag, each with a top layer."""
    found: dict[str, dict[str, str]] = {}
    for entry in entries:
        for name in entry.references if entry.layers else ():
            top = entry.layers[-1].rpartition("/")[2].removesuffix(".tar")
            found.setdefault(name.familiar_name, {})[str(name.tag)] = top
    return found


def _dump(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
