"""The database against the files it is made from."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from pytest_images.content import database, rebuild
from pytest_images.content.facts import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.blobs import Blobs
    from pytest_images.content.home import Home
    from pytest_images.content.index import Index

_DERIVED = {
    "name": "SELECT s.run, t.registry, t.repository, t.tag, t.digest, t.image, t.manifest,"
    " t.source FROM name t JOIN scope s ON s.id = t.scope",
    "image": "SELECT s.run, t.id, t.manifest, t.source, t.tagged"
    " FROM image t JOIN scope s ON s.id = t.scope",
    "manifest": "SELECT m.digest, k.media_type, m.size, m.image, m.created, k.os, k.architecture,"
    " k.variant, m.labels FROM manifest m LEFT JOIN kind k ON k.id = m.kind",
    "edge": "SELECT manifest, position, blob, size FROM edge",
}
_RECORDED_ONLY = ("manifest", "edge")  # these also keep what was recorded before
_WRONG_LAYERS = (
    "SELECT l.digest FROM layer l WHERE l.tar_size < 0 OR l.content_size < 0"
    " OR l.content_size > l.tar_size OR length(l.diff_id) NOT IN (71, 135)"
)


def corrupt(home: Home, index: Index) -> Iterator[Problem]:
    """Yield what makes the database unusable; a missing one is made again unasked."""
    if not home.database.exists() and not home.database.is_symlink():
        return
    try:
        finding = index.finding()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        finding = str(error)
    if finding:
        yield Problem("index-corrupt", str(home.database), finding)


def wrong(
    home: Home, blobs: Blobs, index: Index, connection: sqlite3.Connection
) -> Iterator[Problem]:
    """Yield each table whose rows are not those that the files give."""
    fresh = database.in_memory()
    try:
        for run in index.everywhere():
            rebuild.read_records(fresh, index.folder(run), run, blobs)
        for table, query in _DERIVED.items():
            made, kept = set(fresh.execute(query)), set(connection.execute(query))
            if table in _RECORDED_ONLY:
                known = {row[0] for row in made}
                kept = {row for row in kept if row[0] in known}
            if made != kept:
                detail = f"{len(made ^ kept)} rows of {table} are not what the files say"
                yield Problem("index-differs", str(home.database), detail)
        layers = connection.execute(_WRONG_LAYERS).fetchall()
        if layers:
            detail = f"what is said of the layer {layers[0][0]} cannot be"
            yield Problem("index-differs", str(home.database), detail)
    finally:
        fresh.close()
