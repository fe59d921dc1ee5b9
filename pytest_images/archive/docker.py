"""Docker archives: ``manifest.json``, configs and plain layers by name (docker image-spec v1.2).

Written by `docker save` in two layouts (folders of layers before version 25, blobs by digest
since), by podman, skopeo, buildah and many builders. Such an archive has no manifest of a
registry's kind: one is made, the same every time, so that the image can be pushed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_images.archive.found import Candidate, name_of
from pytest_images.dataclass import dataclass
from pytest_images.errors import DigestMismatch, InvalidArchive, LimitExceeded, shown
from pytest_images.layer.compression import Compression
from pytest_images.model import media_types
from pytest_images.model.config import Config
from pytest_images.model.descriptor import Descriptor
from pytest_images.model.documents import load_json
from pytest_images.model.manifest import LAYER_LIMIT, Manifest
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.archive.shelf import Shelf
    from pytest_images.model.reference import Reference

MANIFEST = "manifest.json"
MANIFEST_LIMIT = 1 << 20  # bytes
IMAGE_LIMIT = 1000
NAME_LIMIT = 1000  # names of one image
_ID = regex(r"(?:.*/)?(?:sha256:)?([0-9a-f]{64})(?:\.json)?")
_DOCKER = {
    Compression.NONE: media_types.DOCKER_LAYER,
    Compression.GZIP: media_types.DOCKER_LAYER_GZIP,
}
_OCI = {
    Compression.NONE: media_types.OCI_LAYER,
    Compression.GZIP: media_types.OCI_LAYER_GZIP,
    Compression.ZSTD: media_types.OCI_LAYER_ZSTD,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One image as ``manifest.json`` lists it: paths in the archive, and names."""

    config: str
    layers: tuple[str, ...]
    references: tuple[Reference, ...]


def entries(shelf: Shelf) -> list[Entry]:
    """Read ``manifest.json``. Raises InvalidArchive, InvalidReference, LimitExceeded."""
    source = f"{shelf.name}: {MANIFEST}"
    listed = load_json(shelf.document(MANIFEST, MANIFEST_LIMIT), source, MANIFEST_LIMIT)
    if not isinstance(listed, list) or not listed:
        raise InvalidArchive(shelf.name, f"its {MANIFEST} is not a list of images")
    if len(listed) > IMAGE_LIMIT:
        raise LimitExceeded(source, "number of images", IMAGE_LIMIT)
    return [_entry(item, shelf.name) for item in listed]


def candidates(shelf: Shelf, limit: int) -> list[Candidate]:
    """Read the images of an archive; *limit* bounds what a layer may be unpacked, in bytes.

    Raises InvalidArchive, InvalidDocument, InvalidLayer, InvalidReference, DigestMismatch,
    LimitExceeded.
    """
    found: dict[str, Candidate] = {}
    for entry in entries(shelf):
        candidate = _candidate(shelf, entry, limit)
        known = found.get(str(candidate.config.id), candidate)
        found[str(candidate.config.id)] = known.named(entry.references)
    return list(found.values())


def config_of(shelf: Shelf, entry: Entry) -> Config:
    """Read the config of an entry: where its path states its digest, that must hold."""
    source = f"{shelf.name}: {entry.config}"
    config = Config.parse(shelf.document(entry.config), source)
    match = _ID.fullmatch(entry.config)
    if match is not None and match[1] != config.id.encoded:
        raise DigestMismatch(f"sha256:{match[1]}", str(config.id), source)
    return config


def _candidate(shelf: Shelf, entry: Entry, limit: int) -> Candidate:
    config = config_of(shelf, entry)
    manifest = _manifest(shelf, entry, config, limit)
    config.require_layers_of(manifest, f"{shelf.name}: {entry.config}")
    return Candidate(manifest, config, entry.layers, entry.references)


def _manifest(shelf: Shelf, entry: Entry, config: Config, limit: int) -> Manifest:
    """Make a manifest for what is there: Docker's kind, OCI's where a layer is zstd."""
    layers = []
    for path in entry.layers:
        blob = shelf.blob(path)
        layers.append((blob, blob.as_layer(f"{shelf.name}: {path}", limit).compression))
    is_docker = all(compression in _DOCKER for _, compression in layers)
    types = _DOCKER if is_docker else _OCI
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.DOCKER_MANIFEST if is_docker else media_types.OCI_MANIFEST,
        "config": Descriptor(
            media_types.DOCKER_CONFIG if is_docker else media_types.OCI_CONFIG,
            config.id,
            len(config.raw),
        ).to_json(),
        "layers": [
            Descriptor(types[compression], blob.digest, blob.size).to_json()
            for blob, compression in layers
        ],
    }
    return Manifest.parse(json.dumps(document, indent=3).encode(), source=shelf.name)


def _entry(item: object, archive: str) -> Entry:
    if not isinstance(item, dict):
        raise InvalidArchive(archive, f"an image in its {MANIFEST} is not an object")
    config = item.get("Config")
    if not isinstance(config, str):
        raise InvalidArchive(archive, f"an image in its {MANIFEST} has no config")
    layers = _texts(item.get("Layers"), "Layers", archive, LAYER_LIMIT)
    names = _texts(item.get("RepoTags"), "RepoTags", archive, NAME_LIMIT)
    return Entry(
        _path(config, archive),
        tuple(_path(layer, archive) for layer in layers),
        tuple(name_of(name, archive) for name in names),
    )


def _texts(value: Any, key: str, archive: str, limit: int) -> Sequence[str]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise InvalidArchive(archive, f"{key} in its {MANIFEST} is not a list of text")
    if len(value) > limit:
        raise LimitExceeded(f"{archive}: {MANIFEST}", f"number of {key}", limit)
    return value


def _path(text: str, archive: str) -> str:
    """Return a path inside the archive, refused where it leads out of it (row T21).

    One that begins with a slash counts from the archive's root: buildpacks write such.
    """
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise InvalidArchive(archive, f"its {MANIFEST} points to {shown(text)}, outside of it")
    return "/".join(parts)
