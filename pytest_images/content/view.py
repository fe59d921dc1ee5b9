"""What is recorded, as one run sees it: its overlay first, then the global records."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_images.content import rows, trusted
from pytest_images.content.rows import EPOCH
from pytest_images.errors import AmbiguousImage, ImageNotFound

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference
    from pytest_images.model.selector import Selector

Key = tuple[str, str, str, str]

_NAMES = "SELECT registry, repository, tag, digest, image FROM name WHERE scope=?"
_IMAGES = (
    "SELECT i.id, i.manifest, m.media_type, m.size, m.content_size, c.created, c.os,"
    " c.architecture, c.variant, c.labels FROM image i JOIN manifest m ON m.digest = i.manifest"
    " JOIN config c ON c.id = i.id WHERE i.scope=?"
)
_ONE = (
    "SELECT m.media_type, m.size, m.content_size, c.created, c.os, c.architecture, c.variant,"
    " c.labels FROM manifest m JOIN config c ON c.id = ?2 WHERE m.digest = ?1"
)


class Found(NamedTuple):
    """What a selector or a name stands for, as the records have it (digests as text)."""

    image: str
    manifest: str
    source: str
    reference: Reference | None


class View:
    """The records of the scopes with these runs, the first one on top."""

    def __init__(self, connection: sqlite3.Connection, runs: tuple[str, ...]) -> None:
        self._connection = connection
        numbers: dict[str, int] = dict(connection.execute("SELECT run, id FROM scope").fetchall())
        self._scopes = [numbers[run] for run in runs]

    # names

    def named(self, reference: Reference) -> Found | None:
        """Return what exactly this name stands for."""
        query = (
            "SELECT image, manifest, source FROM name WHERE scope=?"
            " AND registry=? AND repository=? AND tag=? AND digest=?"
        )
        for scope in self._scopes:
            row = self._connection.execute(query, (scope, *rows.name_key(reference))).fetchone()
            if row is not None:
                return Found(*row, reference) if row[1] else None
        return None

    def names_of(self, image: str) -> list[Reference]:
        """Return every name of an image, tags and pinned ones, sorted."""
        keys: list[Key] = []
        for depth, scope in enumerate(self._scopes):
            found = self._connection.execute(f"{_NAMES} AND image=?", (scope, image)).fetchall()
            keys += [row[:4] for row in found if not self._is_covered(row[:4], depth)]
        return [trusted.reference(*key) for key in sorted(keys)]

    def _is_covered(self, key: Key, depth: int) -> bool:
        """Whether a scope above has a record of the same name."""
        query = (
            "SELECT 1 FROM name WHERE scope=? AND registry=? AND repository=? AND tag=?"
            " AND digest=?"
        )
        return any(
            self._connection.execute(query, (scope, *key)).fetchone()
            for scope in self._scopes[:depth]
        )

    # images

    def recorded(self, image: str) -> Found | None:
        """Return the record of an image ID."""
        query = "SELECT id, manifest, source FROM image WHERE scope=? AND id=?"
        for scope in self._scopes:
            row = self._connection.execute(query, (scope, image)).fetchone()
            if row is not None:
                return Found(*row, None) if row[1] else None
        return None

    def find(self, selector: Selector) -> Found:
        """Return what a selector stands for. Raises ImageNotFound, AmbiguousImage."""
        found = self._by_name(selector.reference) if selector.reference is not None else None
        if found is None and selector.id_prefix:
            found = self._by_prefix(selector)
        if found is None:
            error = ImageNotFound(
                str(selector.reference.familiar if selector.reference else selector)
            )
            error.add_note("`pytest-images ls` lists what is here; pull or load it first.")
            raise error
        return found

    def _by_name(self, reference: Reference) -> Found | None:
        """A pinned name decides by its digest alone, as with Docker; its tag is not asked."""
        if reference.digest is None:
            return self.named(reference)
        found = self.named(reference.with_tag(None).with_digest(reference.digest))
        return found or self._tagged_with(reference)

    def _tagged_with(self, reference: Reference) -> Found | None:
        """Find a tag in the repository whose manifest or index has the reference's digest."""
        query = (
            "SELECT registry, repository, tag, digest, image, manifest, source FROM name"
            " WHERE scope=? AND registry=? AND repository=? AND ? IN (manifest, source)"
        )
        pinned = str(reference.digest)
        for depth, scope in enumerate(self._scopes):
            values = (scope, reference.registry, reference.repository, pinned)
            for row in self._connection.execute(query, values).fetchall():
                if not self._is_covered(row[:4], depth):
                    return Found(*row[4:], reference)
        return None

    def _by_prefix(self, selector: Selector) -> Found | None:
        """The image whose ID begins so, if there is just one."""
        first = f"sha256:{selector.id_prefix}"
        query = "SELECT id FROM image WHERE scope=? AND id>=? AND id<?"
        ids = {
            row[0]
            for scope in self._scopes
            for row in self._connection.execute(query, (scope, first, f"{first}g"))
        }
        matches = [found for found in map(self.recorded, sorted(ids)) if found is not None]
        if len(matches) > 1:
            error = AmbiguousImage(str(selector), [found.image for found in matches])
            error.add_note("Give more digits of the ID.")
            raise error
        return matches[0] if matches else None

    def image(self, found: Found) -> Image:
        """Return the image that was found, with all its names. Raises ImageNotFound."""
        row = self._connection.execute(_ONE, (found.manifest, found.image)).fetchone()
        if row is None:
            error = ImageNotFound(found.image, "the store's blobs")
            error.add_note("Its documents are damaged: run `pytest-images fsck --repair`.")
            raise error
        names = self.names_of(found.image)
        media_type, size, content_size, created, *platform, labels = row
        return trusted.image(
            trusted.digest(found.image),
            trusted.descriptor(media_type, found.manifest, size),
            trusted.platform(*platform),
            found.reference,
            tuple(name for name in names if name.digest is None),
            tuple(name for name in names if name.digest is not None),
            _moment(created),
            content_size,
            json.loads(labels) if labels else {},
        )

    def images(self) -> tuple[Image, ...]:
        """Return all images, newest first."""
        tags, digests = self._all_names()
        listed = sorted(self._all_images(), key=_age)
        platforms: dict[tuple[str, str, str], Platform] = {}
        result = []
        for id, manifest, media_type, size, content_size, created, *words, labels in listed:
            key = tuple(words)
            platform = platforms.get(key)
            if platform is None:
                platform = platforms[key] = trusted.platform(*words)
            image = trusted.image(
                trusted.digest(id),
                trusted.descriptor(media_type, manifest, size),
                platform,
                None,
                tuple(tags.get(id, ())),
                tuple(digests.get(id, ())),
                _moment(created),
                content_size,
                json.loads(labels) if labels else {},
            )
            result.append(image)
        return tuple(result)

    def _all_images(self) -> Iterator[tuple[Any, ...]]:
        """The rows of all images in sight; an upper scope's record covers a lower one's."""
        seen: set[object] = set()
        for scope in self._scopes:
            for row in self._connection.execute(_IMAGES, (scope,)):
                if row[0] not in seen:
                    yield row
            if len(self._scopes) > 1:
                query = "SELECT id FROM image WHERE scope=?"
                seen.update(id for (id,) in self._connection.execute(query, (scope,)))

    def _all_names(self) -> tuple[dict[str, list[Reference]], dict[str, list[Reference]]]:
        """All names in sight by image: tags, and pinned ones."""
        tags: dict[str, list[Reference]] = {}
        digests: dict[str, list[Reference]] = {}
        seen: set[Key] = set()
        for depth, scope in enumerate(self._scopes):
            above = frozenset(seen)
            for row in self._connection.execute(_NAMES, (scope,)):
                if depth and row[:4] in above:
                    continue
                if depth + 1 < len(self._scopes):
                    seen.add(row[:4])
                group = digests if row[3] else tags
                if row[4]:
                    group.setdefault(row[4], []).append(trusted.reference(*row[:4]))
        return tags, digests


def _age(row: tuple[Any, ...]) -> tuple[int, str]:
    """Newest first; those without a time last."""
    created = row[5]
    return (-created, row[0]) if isinstance(created, int) else (1 << 63, row[0])


def _moment(microseconds: int | None) -> datetime | None:
    if microseconds is None:
        return None
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return None
