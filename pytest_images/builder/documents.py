"""The documents of an image made here: its config and its manifest, the same bytes each time.

They are OCI's (image-spec, config.md and manifest.md), for Docker's schema 2 has no media type
for a layer in zstd, nor one that every registry takes for a layer that is not compressed. The
config has Docker's own fields beside OCI's, as BuildKit writes them too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_images.dataclass import replace
from pytest_images.model import media_types
from pytest_images.model.config import Config
from pytest_images.model.descriptor import Descriptor
from pytest_images.model.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_images.layer.compression import Compression
    from pytest_images.model.config import History
    from pytest_images.model.digest import Digest
    from pytest_images.model.platform import Platform

COMMENT = "pytest-images"  # of a step's history: it was made here
_OCI_OF = {
    media_types.DOCKER_LAYER: media_types.OCI_LAYER,
    media_types.DOCKER_LAYER_GZIP: media_types.OCI_LAYER_GZIP,
}
_LAYER_TYPES = {  # by how it is compressed
    "none": media_types.OCI_LAYER,
    "gzip": media_types.OCI_LAYER_GZIP,
    "zstd": media_types.OCI_LAYER_ZSTD,
}


def make_config(
    platform: Platform,
    settings: Mapping[str, Any],
    diff_ids: Sequence[Digest],
    history: Sequence[History],
    *,
    created: str = "",
    author: str = "",
    comment: str = "",
) -> Config:
    """Make the config of an image; *settings* are its ``config``, *created* is RFC 3339.

    What is empty is left out.
    """
    document = {
        "created": created,
        "author": author,
        "comment": comment,
        "architecture": platform.architecture,
        "os": platform.os,
        "variant": platform.plain_variant,
        "config": dict(settings),
        "rootfs": {"type": "layers", "diff_ids": [str(diff_id) for diff_id in diff_ids]},
        "history": [_line(line) for line in history],
    }
    return Config.parse(_dump(_present(document)))


def layer_descriptor(digest: Digest, size: int, compression: Compression) -> Descriptor:
    """Return how a manifest names a layer of *size* bytes as it is stored."""
    return Descriptor(_LAYER_TYPES[compression.value], digest, size)


def oci_layer(descriptor: Descriptor) -> Descriptor:
    """Return the descriptor of a layer of another image, as an OCI manifest names it."""
    media_type = _OCI_OF.get(descriptor.media_type, descriptor.media_type)
    return replace(descriptor, media_type=media_type)


def make_manifest(config: Config, layers: Sequence[Descriptor]) -> Manifest:
    """Make the manifest of *config* and its layers."""
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": Descriptor(media_types.OCI_CONFIG, config.id, len(config.raw)).to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    return Manifest.parse(_dump(document))


def _line(line: History) -> dict[str, Any]:
    return _present(
        {
            "created": line.created,
            "created_by": line.created_by,
            "author": line.author,
            "comment": line.comment,
            "empty_layer": line.empty_layer,
        }
    )


def _present(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value not in ("", False)}


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
