"""The record files: readable, complete in their scope, and with all their blobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.content.facts import Problem
from pytest_images.content.names import RECORD_LIMIT, Record, file_of_image, parse
from pytest_images.content.rebuild import is_silence
from pytest_images.errors import ImagesError, StoreDamaged, StoreError
from pytest_images.model import media_types
from pytest_images.model.config import Config
from pytest_images.model.digest import Digest
from pytest_images.model.manifest import Index, Manifest
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.blobs import Blobs
    from pytest_images.content.names import Scope


UNREADABLE = "unreadable"  # the disk does not answer


class Finding(NamedTuple):
    """A problem, and what mends it: a file to drop, a record to write instead."""

    problem: Problem
    drop: Path | None = None
    write: Record | None = None


class Documents:
    """Reads each image's documents once, and says what is missing of its blobs.

    *bad* are blobs found damaged: they count as missing.
    """

    def __init__(self, blobs: Blobs, bad: set[str]) -> None:
        self._blobs, self._bad = blobs, bad
        self._known: dict[tuple[str, str, str], tuple[str, str] | None] = {}

    def fault(self, record: Record) -> tuple[str, str] | None:
        """Return the kind and text of what is wrong with the image a record stands for."""
        key = (record.image, record.manifest, record.source)
        if key not in self._known:
            self._known[key] = self._look(record)
        return self._known[key]

    def _look(self, record: Record) -> tuple[str, str] | None:
        try:
            manifest = Manifest.parse(self._read(record.manifest), source=record.manifest)
            config = Config.parse(self._read(str(manifest.config.digest)), source=record.image)
            if record.source:
                Index.parse(self._read(record.source), source=record.source)
        except _Missing as missing:
            return "blob-missing", str(missing)
        except ImagesError as error:
            return UNREADABLE if is_silence(error) else "document-invalid", str(error)
        if str(config.id) != record.image:
            return "image-mismatched", f"its manifest is that of {config.id}"
        for layer in manifest.layers:
            size = self._blobs.find(layer.digest)
            if size is None or str(layer.digest) in self._bad:
                if layer.media_type not in media_types.FOREIGN_LAYERS:
                    return "blob-missing", f"the layer {layer.digest} is missing or damaged"
            elif size != layer.size:
                return "size-mismatch", f"{layer.digest} has {size} bytes, not {layer.size}"
        return None

    def _read(self, text: str) -> bytes:
        digest = Digest.parse(text)
        if text in self._bad or not self._blobs.has(digest):
            raise _Missing(f"the document {text} is missing or damaged")
        return self._blobs.read(digest)


class _Missing(Exception):
    """A blob that an image needs is not here."""


def wrong(scope: Scope, documents: Documents) -> Iterator[Finding]:
    """Yield what is wrong with the records of one scope."""
    records: list[Record] = []
    for item in scope.read_all():
        if isinstance(item, StoreDamaged):
            yield _damaged(item, scope)
        elif isinstance(item, StoreError):
            yield _silent(item, scope)
        else:
            records.append(item)
    recorded = {record.image for record in records if not record.name}
    broken: set[str] = set()
    for record in sorted(records):  # images before names: theirs is the empty name
        path = scope.path / record.file
        if record.hides:
            continue
        fault = documents.fault(record)
        if fault is not None:
            broken.add(record.image)
            drop = None if fault[0] == UNREADABLE else path
            yield Finding(Problem(fault[0], str(path), fault[1]), drop=drop)
        elif record.image not in recorded:
            detail = f"{record.name} stands for {record.image}, which is not recorded"
            image = Record("", record.image, record.manifest, record.source)
            recorded.add(record.image)
            yield Finding(Problem("name-dangling", str(path), detail), write=image)
    yield from _left_behind(scope, records, documents, recorded)


def _left_behind(
    scope: Scope, records: list[Record], documents: Documents, recorded: set[str]
) -> Iterator[Finding]:
    """Yield images whose own record is broken but that a whole name still stands for."""
    whole = {r.image for r in records if not r.name and not r.hides and not documents.fault(r)}
    for record in records:
        lost = record.image in recorded and record.image not in whole
        if record.name and not record.hides and lost and not documents.fault(record):
            image = Record("", record.image, record.manifest, record.source)
            if any(r.image == record.image and not r.name for r in records):
                whole.add(record.image)
                path = str(scope.path / file_of_image(record.image))
                yield Finding(Problem("image-broken", path, "a name has it whole"), write=image)


def _silent(error: StoreError, scope: Scope) -> Finding:
    """A file that the disk did not give: asked twice, it is as good as lost."""
    path = Path(error.path)
    try:
        scope.read(path.name)
    except (OSError, StoreError):
        return Finding(Problem(UNREADABLE, error.path, error.reason), drop=path)
    return Finding(Problem(UNREADABLE, error.path, f"at the first try: {error.reason}"))


def _damaged(error: StoreDamaged, scope: Scope) -> Finding:
    """A file that is not the record its name says; if it is another one, that is kept."""
    path = Path(error.path)
    problem = Problem("record-invalid", error.path, error.reason)
    if path.is_symlink() or not path.is_file():
        return Finding(Problem("record-unsafe", error.path, "not a regular file"), drop=path)
    try:
        raw = path.read_bytes()[:RECORD_LIMIT]
        record = Record(**_fields(raw))
        parse(raw, path.with_name(record.file))
    except (StoreDamaged, ValueError, TypeError, OSError):
        return Finding(problem, drop=path)
    misplaced = Problem("record-misplaced", error.path, error.reason)
    there = (scope.path / record.file).exists()
    return Finding(misplaced, drop=path, write=None if there else record)


def _fields(raw: bytes) -> dict[str, str]:
    import json

    document = json.loads(raw)
    return {key: document.get(key, "") for key in Record._fields}
