"""Hostile parts of builds; and what they may not reach, seen from outside: the store's bytes."""

from __future__ import annotations

import io
import json
import tarfile
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_images.model.config import Config
from pytest_images.model.manifest import Manifest
from tests.ledger import refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.errors import ImagesError
    from pytest_images.testing.samples import Sample

LIMIT = 64 << 20  # bytes of one file that is searched


def holders(home: Path, canary: bytes) -> list[str]:
    """Return the files of a store, by their paths in it, that hold *canary* or are called so."""
    found = []
    for path in home.rglob("*"):
        name = str(path.relative_to(home))
        is_file = path.is_file() and not path.is_symlink()
        content = path.read_bytes() if is_file and path.stat().st_size < LIMIT else b""
        if canary in content or canary.decode() in name:
            found.append(name)
    return found


def kept(store: Store) -> dict[str, list[str]]:
    """Return what a store has: blobs, names, results of steps, what steps left."""
    folders = ("blobs", "ingest")
    found = {name: _names(store.root / name) for name in folders}
    for name in ("results", "steps"):
        found[name] = _names(store.workspace(name))
    return {**found, "names": sorted(str(image.tags) for image in store.images())}


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@contextmanager
def refused_whole(store: Store, kind: type[ImagesError], *words: str) -> Iterator[None]:
    """Expect a build to be refused with the store as it was."""
    before = kept(store)
    with refused(kind, *words):
        yield
    assert kept(store) == before


def tar(**members: str | bytes) -> bytes:
    """Return a tar of files (bytes) and links (text)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def saying(sample: Sample, **parts: Any) -> Sample:
    """Return an image of the same layers whose config says *parts* too."""
    document = {**json.loads(sample.config.raw), **parts}
    config = Config.parse(json.dumps(document).encode())
    described = json.loads(sample.manifest.raw)
    described["config"].update(digest=str(config.id), size=len(config.raw))
    manifest = Manifest.parse(json.dumps(described).encode())
    return replace(sample, config=config, manifest=manifest)
