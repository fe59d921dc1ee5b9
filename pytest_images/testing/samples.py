"""Small real images, made in memory and the same on every machine.

>>> sample = image("one")
>>> sample.config.id == image("one").config.id
True
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_images.dataclass import dataclass
from pytest_images.model import media_types
from pytest_images.model.config import Config
from pytest_images.model.descriptor import platform_to_json
from pytest_images.model.digest import Digest
from pytest_images.model.manifest import Index, Manifest
from pytest_images.model.platform import Platform
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.content.store import Store
    from pytest_images.model.image import Image

CREATED = "2024-05-22T18:18:12Z"
_OCI_LAYERS = {
    "none": media_types.OCI_LAYER,
    "gzip": media_types.OCI_LAYER_GZIP,
    "zstd": media_types.OCI_LAYER_ZSTD,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of one platform: its documents and its layers as they are stored."""

    manifest: Manifest
    config: Config
    layers: tuple[bytes, ...]
    tars: tuple[bytes, ...]

    @property
    def blobs(self) -> dict[Digest, bytes]:
        """Everything the image is made of, by digest."""
        contents = (*self.layers, self.config.raw, self.manifest.raw)
        return {Digest.of(content): content for content in contents}

    def put(self, store: Store, *names: str) -> Image:
        """Record the image in *store* under *names*; return it as the store has it."""
        with store.lease() as lease:
            for digest, content in self.blobs.items():
                lease.hold(digest)
                store.put(content, digest)
            store.add(self.manifest, self.config, [Reference.parse(name) for name in names])
        return store.image(Selector.of(self.config.id))

    def layout(self, folder: Path, *names: str) -> Path:
        """Write an OCI image layout with the image under *names*; return its folder."""
        entries = [_entry(self.manifest, name) for name in names or ("",)]
        return _write_layout(folder, self.blobs, entries)

    def archive(self, *names: str, form: str = "oci") -> bytes:
        """Return a tar archive: ``oci``, ``docker`` (both forms in one) or ``docker-old``."""
        if form == "docker-old":
            return _tar(_old_docker_files(self, names))
        entries = [_entry(self.manifest, name) for name in names or ("",)]
        files = _layout_files(self.blobs, entries)
        if form == "docker":
            files["manifest.json"] = _dump([_docker_entry(self, names, _blob_path)])
        return _tar(files)


@dataclass(frozen=True, slots=True)
class SampleIndex:
    """One image for several platforms."""

    index: Index
    images: tuple[Sample, ...]

    @property
    def blobs(self) -> dict[Digest, bytes]:
        """Everything all the images are made of, and the index, by digest."""
        merged = {digest: raw for image in self.images for digest, raw in image.blobs.items()}
        return merged | {self.index.digest: self.index.raw}

    def layout(self, folder: Path, *names: str) -> Path:
        """Write an OCI image layout with the index under *names*; return its folder."""
        entries = [_entry(self.index, name) for name in names or ("",)]
        return _write_layout(folder, self.blobs, entries)

    def archive(self, *names: str) -> bytes:
        """Return an OCI archive with the index under *names*."""
        entries = [_entry(self.index, name) for name in names or ("",)]
        return _tar(_layout_files(self.blobs, entries))


def image(
    seed: str = "one",
    *,
    layers: int = 1,
    size: int = 1000,
    platform: str = "linux/amd64",
    compression: str = "gzip",
    docker: bool = False,
    labels: Mapping[str, str] | None = None,
) -> Sample:
    """Make an image of *layers* layers, each with a file of *size* incompressible bytes.

    *compression* is ``gzip``, ``zstd`` or ``none``; *docker* writes Docker's media types.
    """
    tars = [_layer_tar(f"{seed}/{number}", size) for number in range(layers)]
    return of_tars(
        *tars, seed=seed, platform=platform, compression=compression, docker=docker, labels=labels
    )


def of_tars(
    *tars: bytes,
    seed: str = "one",
    platform: str = "linux/amd64",
    compression: str = "gzip",
    docker: bool = False,
    labels: Mapping[str, str] | None = None,
) -> Sample:
    """Make an image whose layers are these tars, the lowest first; for the rest see `image`."""
    stored = tuple(_compress(tar, compression) for tar in tars)
    config = Config.parse(_config(seed, tars, Platform.parse(platform), labels or {}))
    layer_type = _OCI_LAYERS[compression]
    if docker:
        plain = compression == "none"
        layer_type = media_types.DOCKER_LAYER if plain else media_types.DOCKER_LAYER_GZIP
    document = {
        "schemaVersion": 2,
        "mediaType": media_types.DOCKER_MANIFEST if docker else media_types.OCI_MANIFEST,
        "config": _describe(
            config.raw, media_types.DOCKER_CONFIG if docker else media_types.OCI_CONFIG
        ),
        "layers": [_describe(content, layer_type) for content in stored],
    }
    return Sample(Manifest.parse(_dump(document)), config, stored, tars)


def index(*samples: Sample, docker: bool = False) -> SampleIndex:
    """Make an index of *samples*, one a platform."""
    entries = [
        _describe(sample.manifest.raw, sample.manifest.media_type)
        | {"platform": platform_to_json(sample.config.platform)}
        for sample in samples
    ]
    media_type = media_types.DOCKER_INDEX if docker else media_types.OCI_INDEX
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    return SampleIndex(Index.parse(_dump(document)), samples)


def _layer_tar(seed: str, size: int) -> bytes:
    """A tar of a folder, a file, a link and a hard link, with fixed times and owners."""
    noise = random.Random(seed).randbytes(size)  # noqa: S311 - sample content, not a secret
    folder = tarfile.TarInfo("data")
    folder.type, folder.mode = tarfile.DIRTYPE, 0o755
    name = hashlib.sha256(seed.encode()).hexdigest()[:8]
    file = tarfile.TarInfo(f"data/{name}")
    file.size, file.mode = size, 0o644
    link = tarfile.TarInfo(f"data/{name}.link")
    link.type, link.linkname = tarfile.SYMTYPE, f"/data/{name}"
    hard = tarfile.TarInfo(f"data/{name}.hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, f"data/{name}"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(folder)
        tar.addfile(file, io.BytesIO(noise))
        tar.addfile(link)
        tar.addfile(hard)
    return out.getvalue()


def _compress(content: bytes, compression: str) -> bytes:
    if compression == "gzip":
        return gzip.compress(content, 1, mtime=0)
    if compression == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level=1).compress(content)
    return content


def _config(
    seed: str, tars: tuple[bytes, ...], platform: Platform, labels: Mapping[str, str]
) -> bytes:
    document: dict[str, Any] = platform_to_json(platform) | {
        "created": CREATED,
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"], "Labels": dict(labels)},
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(tar)) for tar in tars]},
        "history": [
            {"created": CREATED, "created_by": f"ADD {seed}/{number} /"}
            for number in range(len(tars))
        ],
    }
    return _dump(document)


def _describe(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)}


def _entry(document: Manifest | Index, name: str) -> dict[str, Any]:
    """An entry of ``index.json``, annotated as Docker and containerd do."""
    entry: dict[str, Any] = document.descriptor.to_json()
    if name:
        reference = Reference.parse(name)
        entry["annotations"] = {
            "io.containerd.image.name": str(reference),
            "org.opencontainers.image.ref.name": reference.tag or "",
        }
    return entry


def _blob_path(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def _layout_files(blobs: Mapping[Digest, bytes], entries: list[Any]) -> dict[str, bytes]:
    files = {_blob_path(digest): content for digest, content in blobs.items()}
    files["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}
    files["index.json"] = _dump(document)
    return files


def _write_layout(folder: Path, blobs: Mapping[Digest, bytes], entries: list[Any]) -> Path:
    for name, content in _layout_files(blobs, entries).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def _docker_entry(sample: Sample, names: tuple[str, ...], path: Any) -> dict[str, Any]:
    return {
        "Config": path(sample.config.id),
        "RepoTags": [Reference.parse(name).familiar for name in names] or None,
        "Layers": [path(Digest.of(layer)) for layer in sample.layers],
    }


def _old_docker_files(sample: Sample, names: tuple[str, ...]) -> dict[str, bytes]:
    """The files of `docker save` before version 25: plain tars in folders of their own."""
    files = {f"{sample.config.id.encoded}.json": sample.config.raw}
    paths = []
    for tar in sample.tars:
        folder = hashlib.sha256(tar + b"layer").hexdigest()
        files[f"{folder}/VERSION"] = b"1.0"
        files[f"{folder}/layer.tar"] = tar
        paths.append(f"{folder}/layer.tar")
    entry = {
        "Config": f"{sample.config.id.encoded}.json",
        "RepoTags": [Reference.parse(name).familiar for name in names] or None,
        "Layers": paths,
    }
    return files | {"manifest.json": _dump([entry])}


def _tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def _dump(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
