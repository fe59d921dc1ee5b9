"""What is recorded, as one run sees it: its overlay first, then the global records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.content import rows, trusted
from pytest_images.content.database import IndexDamaged
from pytest_images.errors import AmbiguousImage, ImageNotFound
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from pytest_images.content.trusted import Kind, Names, Row
    from pytest_images.model.image import Image
    from pytest_images.model.reference import Reference
    from pytest_images.model.selector import Selector

Key = tuple[str, str, str, str]

_NAMES = "SELECT registry, repository, tag, digest, image FROM name WHERE scope=?"
_COLUMNS = "SELECT m.image, m.digest, m.size, m.content_size, m.created, m.kind, m.labels"
_IMAGES = _COLUMNS + " FROM image i JOIN manifest m ON m.digest=i.manifest WHERE i.scope=?"
_ONE = _COLUMNS + " FROM manifest m WHERE m.digest=? AND m.image=?"


class Found(NamedTuple):
    """What a selector or a name stands for, as the records have it (digests as text)."""

    image: str
    manifest: str
    source: str
    reference: Reference | None
    tagged: str = ""


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
                return Found(row[0], row[1], row[2], reference) if row[1] else None
        return None

    def names_of(self, image: str) -> list[Reference]:
        """Return every name of an image, tags and pinned ones, sorted."""
        keys: list[Key] = []
        for depth, scope in enumerate(self._scopes):
            found = self._connection.execute(f"{_NAMES} AND image=?", (scope, image)).fetchall()
            keys += [row[:4] for row in found if not self._is_covered(row[:4], depth)]
        return [trusted.reference(*key) for key in sorted(keys)]

    def has_names(self, image: Image) -> bool:
        """Whether the names of *image* are still these and no others."""
        return set(self.names_of(str(image.id))) == {*image.tags, *image.digests}

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
        query = "SELECT id, manifest, source, tagged FROM image WHERE scope=? AND id=?"
        for scope in self._scopes:
            row = self._connection.execute(query, (scope, image)).fetchone()
            if row is not None:
                return Found(row[0], row[1], row[2], None, row[3]) if row[1] else None
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
                    return Found(row[4], row[5], row[6], reference)
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
        tags = tuple(name for name in names if name.digest is None)
        pinned = tuple(name for name in names if name.digest is not None)
        id = found.image
        kinds = self._kinds_of([row])
        return trusted.images([row], kinds, {id: tags}, {id: pinned}, found.reference)[0]

    def images(self) -> tuple[Image, ...]:
        """Return all images, newest first."""
        with trusted.undisturbed():
            tags, pinned = self._all_names()
            rows = sorted(self._all_images())
            rows.sort(key=_age)
            return tuple(trusted.images(rows, self._kinds_of(rows), tags, pinned))

    def _kinds_of(self, rows: list[Row]) -> dict[int, Kind]:
        """Return the kinds of manifests by number. Raises IndexDamaged where one is missing."""
        found = self._connection.execute("SELECT * FROM kind").fetchall()
        kinds = {row[0]: row[1:] for row in found}
        if not {row[5] for row in rows} <= kinds.keys():
            raise IndexDamaged("a manifest is of no known kind")
        return kinds

    def _all_images(self) -> Iterator[Row]:
        """The rows of all images in sight; an upper scope's record covers a lower one's."""
        seen: set[str] = set()
        for scope in self._scopes:
            rows = self._connection.execute(_IMAGES, (scope,)).fetchall()
            yield from (row for row in rows if row[0] not in seen) if seen else rows
            if len(self._scopes) > 1:
                query = "SELECT id FROM image WHERE scope=?"
                seen.update(id for (id,) in self._connection.execute(query, (scope,)))

    def _all_names(self) -> tuple[Names, Names]:
        """All names in sight by image: tags, and pinned ones."""
        tags: Names = {}
        pinned: Names = {}
        seen: set[Key] = set()
        for scope in self._scopes:
            found = self._connection.execute(_NAMES, (scope,)).fetchall()
            if seen:
                found = [row for row in found if row[:4] not in seen]
            if scope != self._scopes[-1]:
                seen.update(row[:4] for row in found)
            trusted.sort_names(found, tags, pinned)
        return tags, pinned


def _age(row: Row) -> int:
    """Newest first; those without a time last."""
    created = row[4]
    return _LAST if created is None else -created


_LAST = 1 << 63
