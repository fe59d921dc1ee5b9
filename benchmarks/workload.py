"""The images that are moved: the same bytes on every machine, written once into a folder."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from pathlib import Path
from typing import Any

MB = 1_000_000
TIME = 1_000_000_000  # seconds since 1970: of the files of build contexts
_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"

# name: (bytes of incompressible, bytes of compressible content) of each layer
IMAGES: dict[str, list[tuple[int, int]]] = {
    "S": [(3 * MB, 5 * MB)],
    "M": [(30 * MB, 37 * MB)] * 7,
    "L": [(960 * MB, 10 * MB)] + [(2 * MB, 3 * MB)] * 4,
    "H": [(0, 10 << 30)],  # for the memory that commands take
}


def layout(folder: Path, name: str) -> Path:
    """Make the OCI layout of image *name* below *folder*, unless it is there; return it."""
    target = folder / name
    if (target / "index.json").exists():
        return target
    layers = [
        _layer(target, f"{name}/{number}", random_bytes, text_bytes)
        for number, (random_bytes, text_bytes) in enumerate(IMAGES[name])
    ]
    config = _config([diff_id for _, diff_id in layers])
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _put(target, config, "application/vnd.oci.image.config.v1+json"),
        "layers": [descriptor for descriptor, _ in layers],
    }
    entry = _put(target, _dump(manifest), "application/vnd.oci.image.manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": "1"}
    (target / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (target / "index.json").write_bytes(_dump({"schemaVersion": 2, "manifests": [entry]}))
    return target


def root(folder: Path, name: str) -> Path:
    """Make one plain tar of the content of image *name* below *folder*, unless it is there."""
    target = folder / f"{name}.tar"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(target, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for number, (random_bytes, text_bytes) in enumerate(IMAGES[name]):
                _add_files(tar, f"{name}/{number}", random_bytes, text_bytes)
    return target


def many_files(folder: Path) -> None:
    """Put 10,000 files of 1 KB into 100 folders below *folder*, unless they are there."""
    for number in range(100):
        inner = folder / f"{number:02}"
        if inner.exists():
            continue
        inner.mkdir()
        for count in range(100):
            content = f"{number}/{count}\n".encode() * 200
            (inner / f"file-{count:02}.txt").write_bytes(content[:1000])


def large_file(path: Path) -> None:
    """Make a file of 500 MB that does not compress, unless it is there."""
    if not path.exists():
        noise = random.Random("500 MB")
        with path.open("wb") as out:
            for _ in range(500):
                out.write(noise.randbytes(MB))


def largest_blob(layout: Path) -> Path:
    """Return the path of the layout's largest blob."""
    return max((layout / "blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)


def image_id(layout: Path) -> str:
    """Return the hash of the config of the layout's one image."""
    entry = json.loads((layout / "index.json").read_text())["manifests"][0]
    manifest = layout / "blobs" / entry["digest"].replace(":", "/")
    digest: str = json.loads(manifest.read_text())["config"]["digest"]
    return digest.partition(":")[2]


def _layer(target: Path, seed: str, random_bytes: int, text_bytes: int) -> tuple[Any, str]:
    """Write one gzip layer of two files; return its descriptor and its diff ID."""
    from isal import igzip

    blobs = target / "blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    partial = blobs / "partial"
    diff_id = hashlib.sha256()
    with partial.open("wb") as raw, igzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out:  # type: ignore[no-untyped-call]  # isal's own
        tee = _Tee(out, diff_id)
        with tarfile.open(fileobj=tee, mode="w|", format=tarfile.USTAR_FORMAT) as tar:  # type: ignore[call-overload]  # a writer is enough
            _add_files(tar, seed, random_bytes, text_bytes)
    digest = _digest(partial)
    size = partial.stat().st_size
    partial.rename(blobs / digest)
    descriptor = {"mediaType": _GZIP, "digest": f"sha256:{digest}", "size": size}
    return descriptor, f"sha256:{diff_id.hexdigest()}"


def _add_files(tar: tarfile.TarFile, seed: str, random_bytes: int, text_bytes: int) -> None:
    for name, size in (("noise", random_bytes), ("text", text_bytes)):
        member = tarfile.TarInfo(f"data/{seed}/{name}")
        member.size = size
        tar.addfile(member, _Content(f"{seed}/{name}", size, name == "noise"))


class _Tee:
    """A stream that hashes what it passes on."""

    def __init__(self, out: Any, hasher: Any) -> None:
        self._out, self._hasher = out, hasher

    def write(self, data: bytes) -> int:
        self._hasher.update(data)
        self._out.write(data)
        return len(data)


class _Content(io.RawIOBase):
    """A file of noise, or of words that compress like a program's text."""

    def __init__(self, seed: str, size: int, noise: bool) -> None:
        self._random, self._left, self._noise = random.Random(seed), size, noise
        self._words = [self._random.randbytes(8) for _ in range(256)]

    def read(self, size: int = -1) -> bytes:
        count = min(size, self._left)
        self._left -= count
        if self._noise:
            return self._random.randbytes(count)
        picks = self._random.randbytes(count // 64 + 1)
        return b"".join(self._words[pick] * 8 for pick in picks)[:count]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _config(diff_ids: list[str]) -> bytes:
    document = {"architecture": "amd64", "os": "linux", "config": {}}
    return _dump(document | {"rootfs": {"type": "layers", "diff_ids": diff_ids}})


def _put(target: Path, content: bytes, media_type: str) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    (target / "blobs/sha256" / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _dump(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
