"""The database's rows: how records and documents become rows, and what they keep alive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_images.content.trusted import EPOCH
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from pytest_images.content.names import Record
    from pytest_images.model.config import Config
    from pytest_images.model.manifest import Manifest

_MICROSECOND = timedelta(microseconds=1)
CONFIG_POSITION = -1  # of the edge from a manifest to its config; layers count from 0


def put(connection: sqlite3.Connection, scope: int, record: Record) -> None:
    """Make the row of a record."""
    if not record.name:
        row = (scope, record.image, record.manifest, record.source, record.tagged)
        connection.execute("INSERT OR REPLACE INTO image VALUES (?,?,?,?,?)", row)
        return
    key = name_key(Reference.parse_bare(record.name))
    named = (scope, *key, record.image, record.manifest, record.source)
    connection.execute("INSERT OR REPLACE INTO name VALUES (?,?,?,?,?,?,?,?)", named)


def has(connection: sqlite3.Connection, scope: int, record: Record) -> bool:
    """Say whether a record's row is there as it would be made."""
    if not record.name:
        query = (
            "SELECT 1 FROM image WHERE scope=? AND id=? AND manifest=? AND source=? AND tagged=?"
        )
        values: tuple[object, ...] = (scope, *record[1:])
    else:
        query = (
            "SELECT 1 FROM name WHERE scope=? AND registry=? AND repository=? AND tag=?"
            " AND digest=? AND image=? AND manifest=? AND source=?"
        )
        values = (scope, *name_key(Reference.parse_bare(record.name)), *record[1:4])
    return connection.execute(query, values).fetchone() is not None


def name_key(reference: Reference) -> tuple[str, str, str, str]:
    """Return the columns that identify a name."""
    digest = str(reference.digest) if reference.digest is not None else ""
    return reference.registry, reference.repository, reference.tag or "", digest


def drop_name(connection: sqlite3.Connection, scope: int, reference: Reference) -> None:
    """Delete the row of a name."""
    connection.execute(
        "DELETE FROM name WHERE scope=? AND registry=? AND repository=? AND tag=? AND digest=?",
        (scope, *name_key(reference)),
    )


def drop_image(connection: sqlite3.Connection, scope: int, image: str) -> None:
    """Delete the row of an image."""
    connection.execute("DELETE FROM image WHERE scope=? AND id=?", (scope, image))


def clear(connection: sqlite3.Connection, scope: int) -> None:
    """Delete the rows of all records of a scope."""
    connection.execute("DELETE FROM name WHERE scope=?", (scope,))
    connection.execute("DELETE FROM image WHERE scope=?", (scope,))


def scope_of(connection: sqlite3.Connection, run: str) -> int | None:
    """Return the number of a run's scope, "" for the global one; None where it has none."""
    row = connection.execute("SELECT id FROM scope WHERE run=?", (run,)).fetchone()
    return None if row is None else int(row[0])


def knows(connection: sqlite3.Connection, manifest: str) -> bool:
    """Say whether the documents of a manifest were read before."""
    query = "SELECT 1 FROM manifest WHERE digest=?"
    return connection.execute(query, (manifest,)).fetchone() is not None


def learn(connection: sqlite3.Connection, manifest: Manifest, config: Config) -> None:
    """Make the rows that follow from an image's documents."""
    digest = str(manifest.digest)
    edges = [(digest, CONFIG_POSITION, str(manifest.config.digest), manifest.config.size)]
    edges += [(digest, n, str(d.digest), d.size) for n, d in enumerate(manifest.layers)]
    connection.execute("DELETE FROM edge WHERE manifest=?", (digest,))
    connection.executemany("INSERT INTO edge VALUES (?,?,?,?)", edges)
    row = (digest, len(manifest.raw), str(config.id), microseconds(config.created))
    kind = _kind(connection, manifest, config)
    connection.execute(
        "INSERT OR REPLACE INTO manifest VALUES (?,?,?,NULL,?,?,?)", (*row, kind, _labels(config))
    )
    measure(connection, digest)


def _kind(connection: sqlite3.Connection, manifest: Manifest, config: Config) -> int:
    """Return the number of a media type and a platform: of 10,000 images most are of few kinds."""
    platform = config.platform
    kind = (manifest.media_type, platform.os, platform.architecture, platform.variant)
    connection.execute("INSERT OR IGNORE INTO kind VALUES (NULL,?,?,?,?)", kind)
    query = "SELECT id FROM kind WHERE media_type=? AND os=? AND architecture=? AND variant=?"
    number: int = connection.execute(query, kind).fetchone()[0]
    return number


def _labels(config: Config) -> str:
    import json

    labels = {k: v for k, v in config.labels.items() if type(v) is str}
    return json.dumps(labels) if labels else ""


def microseconds(created: str) -> int | None:
    """Read a config's RFC 3339 time as microseconds since 1970; None where it is none."""
    try:
        moment = datetime.fromisoformat(created)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (zoned - EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None


def measure(connection: sqlite3.Connection, manifest: str) -> None:
    """Add up what a manifest's layers hold, if every one was looked into."""
    connection.execute(
        "UPDATE manifest SET content_size = (SELECT CASE WHEN COUNT(*) = COUNT(l.digest)"
        " THEN COALESCE(SUM(l.content_size), 0) END FROM edge e LEFT JOIN layer l"
        " ON l.digest = e.blob WHERE e.manifest = ? AND e.position >= 0) WHERE digest = ?",
        (manifest, manifest),
    )


def add_layers(connection: sqlite3.Connection, rows: Sequence[tuple[str, str, int, int]]) -> None:
    """Record what layers are unpacked, and add up the images that have them."""
    connection.executemany("INSERT OR REPLACE INTO layer VALUES (?,?,?,?)", rows)
    query = "SELECT manifest FROM edge WHERE blob=? AND position>=0"
    manifests = {m for row in rows for (m,) in connection.execute(query, row[:1])}
    for manifest in manifests:
        measure(connection, manifest)


def doubts(connection: sqlite3.Connection) -> list[str]:
    """Return what could not be read of the records of any scope."""
    query = "SELECT doubt FROM scope WHERE doubt <> ''"
    return [doubt for (doubt,) in connection.execute(query)]


def reached(connection: sqlite3.Connection) -> set[str]:
    """Return the digests of all blobs that any record of any scope reaches."""
    marked: set[str] = set()
    recorded = "SELECT manifest, source FROM image UNION SELECT manifest, source FROM name"
    for manifest, index in connection.execute(recorded):
        marked.update((manifest, index))
    marked.discard("")
    edges = f"SELECT blob FROM edge WHERE manifest IN (SELECT manifest FROM ({recorded}))"  # noqa: S608 - constant text
    marked.update(blob for (blob,) in connection.execute(edges))
    return marked


def contents(connection: sqlite3.Connection) -> dict[str, tuple[set[str], set[str]]]:
    """Return, for each image recorded in any scope, its blobs and the indexes it came from."""
    edges: dict[str, list[str]] = {}
    for manifest, blob in connection.execute("SELECT manifest, blob FROM edge"):
        edges.setdefault(manifest, []).append(blob)
    query = "SELECT id, manifest, source FROM image UNION SELECT image, manifest, source FROM name"
    found: dict[str, tuple[set[str], set[str]]] = {}
    for image, manifest, source in connection.execute(query):
        if manifest:
            blobs, sources = found.setdefault(image, (set(), set()))
            blobs.update((manifest, *edges.get(manifest, ())))
            sources.update(filter(None, (source,)))
    return found


def indexes(connection: sqlite3.Connection) -> set[str]:
    """Return the digests of all indexes that a recorded image was chosen from."""
    query = "SELECT source FROM image UNION SELECT source FROM name"
    return {source for (source,) in connection.execute(query) if source}


def parts(connection: sqlite3.Connection, manifest: str) -> list[str]:
    """Return the digests of a manifest's config and layers."""
    rows = connection.execute("SELECT blob FROM edge WHERE manifest=?", (manifest,))
    return [digest for (digest,) in rows]


def known(connection: sqlite3.Connection) -> set[str]:
    """Return the digests of all blobs that belong to an image recorded now or before."""
    rows = connection.execute("SELECT blob FROM edge UNION SELECT digest FROM manifest")
    return {digest for (digest,) in rows}


def records(connection: sqlite3.Connection, run: str, image: str) -> bool:
    """Say whether the scope of *run* itself records *image*."""
    query = "SELECT 1 FROM image i JOIN scope s ON s.id=i.scope WHERE s.run=? AND i.id=?"
    return connection.execute(f"{query} AND i.manifest<>''", (run, image)).fetchone() is not None


def images_beyond(connection: sqlite3.Connection, runs: tuple[str, ...]) -> set[str]:
    """Return the IDs of images that scopes of other runs than *runs* record."""
    query = "SELECT s.run, i.id FROM image i JOIN scope s ON s.id=i.scope WHERE i.manifest<>''"
    return {id for run, id in connection.execute(query) if run not in runs}


def layers_kept(connection: sqlite3.Connection, layers: list[tuple[str, str]]) -> int:
    """Return how many of *layers* (digest, diff ID), from the base on, one image has.

    A layer is another's where its bytes are, or its diff ID is, as far as both were looked into.
    """
    query = (
        "SELECT DISTINCT m.image FROM edge e JOIN manifest m ON m.digest=e.manifest"
        " WHERE e.position=? AND e.blob IN (SELECT ? UNION SELECT digest FROM layer"
        " WHERE diff_id=?) AND EXISTS (SELECT 1 FROM image i WHERE i.id=m.image"
        " AND i.scope IN (SELECT id FROM scope) AND i.manifest<>'')"
    )
    holders: set[str] | None = None
    for position, (digest, diff_id) in enumerate(layers):
        found = {id for (id,) in connection.execute(query, (position, digest, diff_id))}
        holders = found if holders is None else holders & found
        if not holders:
            return position
    return len(layers)


def forget_manifests(connection: sqlite3.Connection, gone: list[str]) -> None:
    """Delete what follows from documents that are no longer here."""
    one = [(digest,) for digest in gone]
    connection.executemany("DELETE FROM edge WHERE manifest=?", one)
    connection.executemany("DELETE FROM manifest WHERE digest=?", one)
    connection.executemany("DELETE FROM layer WHERE digest=?", one)
