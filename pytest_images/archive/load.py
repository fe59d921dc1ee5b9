"""Archives into the store: all that one holds, or nothing of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.archive import docker, oci
from pytest_images.archive.folder import Folder
from pytest_images.archive.found import Candidate, Found, check_layer
from pytest_images.archive.intake import Intake, unheard
from pytest_images.archive.shelf import Passed, Shelf
from pytest_images.archive.source import STALL_LIMIT, Source, opened
from pytest_images.errors import InvalidArchive, PlatformNotFound, shown
from pytest_images.layer.compression import ARCHIVES, decompress
from pytest_images.layer.limit import expansion_limit
from pytest_images.model.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.archive.intake import Blob, Report
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store


def load_archive(
    source: BinaryIO | Path,
    name: str,
    store: Store,
    lease: Lease,
    platforms: Sequence[Platform] = (),
    *,
    limit: int | None = None,
    stall_limit: float = STALL_LIMIT,
    report: Report = unheard,
) -> tuple[Found, ...]:
    """Bring the blobs of an archive into *store*, held by *lease*; name nothing yet.

    *source* is a stream (plain, gzip, zstd, xz or bzip2; read once to its end, left open),
    an archive's file, or the folder of an OCI layout; *name* is what errors call it.
    *platforms* are those wanted of an index: none for the host's where it has it, else all.
    *limit* bounds, in bytes, what the archive and each layer may be unpacked (None:
    `expansion_limit`); *stall_limit* the seconds a pipe may stand still. *report* hears how
    far each layer is, a few times a second.

    Returns the images found. Raises InvalidArchive, InvalidLayer, InvalidDocument,
    NotAnImage, InvalidReference, DigestMismatch, SizeMismatch, PlatformNotFound,
    LimitExceeded, StoreError; the store is then as it was.
    """
    bound = expansion_limit(store.root) if limit is None else limit
    with Intake(store, lease, bound, report) as intake:
        if isinstance(source, Path) and source.is_dir():
            shelf: Shelf = Folder(source, name, intake)
            if oci.INDEX not in shelf:
                raise InvalidArchive(name, f"the folder has no {oci.INDEX}: it is no OCI layout")
        elif isinstance(source, Path):
            with opened(source, name) as stream:
                shelf = _passed(stream, name, intake, stall_limit)
        else:
            shelf = _passed(source, name, intake, stall_limit)
        return _taken(shelf, intake, _candidates(shelf, platforms, bound))


def host_platform() -> Platform:
    """Return the platform that this machine runs in containers: Linux on its processor."""
    return Platform.of_machine(os.uname().machine)


def _passed(stream: BinaryIO, name: str, intake: Intake, stall_limit: float) -> Passed:
    inflated = decompress(
        Source(stream, name, stall_limit),
        name,
        intake.limit,
        allowed=ARCHIVES,
        failure=InvalidArchive,
    )
    return Passed(inflated, name, intake)


def _candidates(shelf: Shelf, platforms: Sequence[Platform], limit: int) -> list[Candidate]:
    """Read the archive's documents, in whichever of the forms it has them."""
    host = host_platform()
    if oci.INDEX in shelf:
        found = oci.candidates(shelf, platforms, host)
        return _with_docker_names(shelf, found) if docker.MANIFEST in shelf else found
    if docker.MANIFEST in shelf:
        return _wanted(docker.candidates(shelf, limit), platforms, shelf.name)
    error = InvalidArchive(shelf.name, "it has neither an index.json nor a manifest.json")
    error.add_note("A tar of a root file system is not an image: `import` makes one of it.")
    raise error


def _wanted(
    found: Sequence[Candidate], platforms: Sequence[Platform], name: str
) -> list[Candidate]:
    """Return the images of the *platforms* wanted; all, where there is no wish."""
    chosen = [item for item in found if not platforms or item.platform in platforms]
    if not chosen:
        available = sorted({str(item.platform) for item in found})
        raise PlatformNotFound(name, ", ".join(map(str, platforms)), available)
    return chosen


def _with_docker_names(shelf: Shelf, found: Sequence[Candidate]) -> list[Candidate]:
    """Add the names of ``manifest.json``, and refuse an archive whose two lists disagree."""
    result = list(found)
    places = {item.config.id: place for place, item in reversed(list(enumerate(found)))}
    owners = {name: item.config.id for item in found for name in item.references}
    is_narrowed = any(item.index is not None for item in found)
    for entry in docker.entries(shelf):
        identity = docker.config_of(shelf, entry).id
        place = places.get(identity)
        if place is None and is_narrowed:
            continue  # another platform of an index than those chosen
        others = [name for name in entry.references if owners.get(name, identity) != identity]
        if place is None or others:
            raise _disagree(shelf, str(others[0]) if others else entry.config)
        added = [name for name in entry.references if name not in owners]
        result[place] = result[place].named(added)
    return result


def _disagree(shelf: Shelf, thing: str) -> InvalidArchive:
    reason = f"its index.json and its manifest.json disagree about {shown(thing)}"
    return InvalidArchive(shelf.name, reason)


def _taken(shelf: Shelf, intake: Intake, candidates: Sequence[Candidate]) -> tuple[Found, ...]:
    """Check every layer of every image, and only then make anything visible."""
    layers = {item.manifest.digest: _layers(shelf, intake, item) for item in candidates}
    for item in candidates:
        for blob, diff_id in zip(layers[item.manifest.digest], item.config.diff_ids, strict=True):
            intake.commit_layer(blob, diff_id)
        intake.put(item.config.raw, item.manifest.config.digest)
        intake.put(item.manifest.raw, item.manifest.digest)
        if item.index is not None:
            intake.put(item.index.raw, item.index.digest)
    return tuple(
        Found(
            item.manifest, item.config, item.references, item.index.digest if item.index else None
        )
        for item in candidates
    )


def _layers(shelf: Shelf, intake: Intake, item: Candidate) -> list[Blob]:
    found = []
    rows = zip(item.manifest.layers, item.layers, item.config.diff_ids, strict=True)
    for descriptor, path, diff_id in rows:
        source = f"{shelf.name}: {path}"
        blob = shelf.blob(path)
        check_layer(descriptor, blob, blob.as_layer(source, intake.limit), diff_id, source)
        found.append(blob)
    return found
