"""`import`: the tar of a root file system as an image of one layer.

The layer is kept as it comes where OCI has a form for it: plain, gzip or zstd. What is packed
otherwise (xz, bzip2) becomes a plain tar. It is verified as a layer while it is written, in one
pass, and nothing is recorded before all of it was found good.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pytest_images.archive.source import Source
from pytest_images.builder.clock import creation_time
from pytest_images.builder.documents import layer_descriptor, make_config, make_manifest
from pytest_images.content.facts import LayerFacts
from pytest_images.engine.given import check_given
from pytest_images.errors import InvalidLayer, InvalidReference, LimitExceeded
from pytest_images.http.address import is_url
from pytest_images.layer.compression import ARCHIVES, LAYERS, Rewound, decompress, detect
from pytest_images.layer.limit import expansion_limit
from pytest_images.layer.measure import survey
from pytest_images.model.config import History
from pytest_images.model.platform import Platform
from pytest_images.model.progress import Phase, Progress
from pytest_images.model.selector import Selector
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from pytest_images.content.ingest import Ingest
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.layer.blocks import Readable
    from pytest_images.layer.compression import Compression
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image
    from pytest_images.model.request.import_ import ImportRequest

_MAGIC = 6  # bytes that tell how a stream is compressed


class Layer(NamedTuple):
    """A layer in the store: its digest, its size in bytes, its form, and what it is unpacked."""

    digest: Digest
    size: int
    compression: Compression
    facts: LayerFacts


def import_(images: Images, store: Store, request: ImportRequest) -> Image:
    """Make the image; a name that stood for another moves.

    Raises InvalidDockerfile (a change), InvalidReference and InvalidUsage (a name), InvalidLayer,
    InvalidArchive (the stream stalls), LimitExceeded, StoreError; the store is then as it was.
    """
    reference = request.reference
    if reference is not None:
        if reference.digest is not None:
            raise InvalidReference(str(reference), "cannot import digest reference")
        check_given(reference)
    platform = request.platform or Platform.of_machine(os.uname().machine)
    settings = _settings(request.changes, platform.os)
    created = creation_time()
    origin = request.name if is_url(request.name) else "-"
    comment = request.message or f"Imported from {origin}"
    images.progress(Progress("import", request.name, phase=Phase.STARTED))
    with store.lease() as lease:
        layer = _taken(request, store, lease)
        config = make_config(
            platform,
            settings,
            [layer.facts.diff_id],
            [History(created=created, comment=comment)],
            created=created,
            comment=comment,
        )
        manifest = make_manifest(
            config, [layer_descriptor(layer.digest, layer.size, layer.compression)]
        )
        for raw, digest in ((config.raw, config.id), (manifest.raw, manifest.digest)):
            lease.hold(digest)
            store.put(raw, digest)
        store.add(manifest, config, [reference] if reference is not None else [])
    images.progress(Progress("import", request.name, phase=Phase.DONE))
    return store.image(Selector.of(reference or config.id))


def _settings(changes: tuple[str, ...], system: str) -> dict[str, Any]:
    """Return the settings that *changes* make; the reader of Dockerfiles is loaded for them."""
    if not changes:
        return {}
    from pytest_images.builder.changes import changed

    return changed(changes, system).to_json()


def _taken(request: ImportRequest, store: Store, lease: Lease) -> Layer:
    """Write the layer into the store, looking into it on the way."""
    name, limit = request.name, expansion_limit(store.root)
    with store.ingest(source=name) as ingest:
        stream = Rewound(_Bounded(Source(request.stream, name), name, limit))
        tee = _Tee(_as_layer(stream, name, limit), ingest)
        found = survey(tee, name, limit)
        ingest.flush()  # while the rest is hashed
        digest, size = ingest.digest(), ingest.offset
        facts = LayerFacts(found.diff_id or digest, found.tar_size, found.content_size)
        lease.hold(digest)
        ingest.commit()
    store.add_layer(digest, facts)
    return Layer(digest, size, found.compression, facts)


def _as_layer(stream: Rewound, name: str, limit: int) -> Readable:
    """Return *stream* in a form that a layer may have."""
    if detect(stream.peek(_MAGIC)) in LAYERS:
        return stream
    return decompress(stream, name, limit, allowed=ARCHIVES, failure=InvalidLayer)


class _Bounded:
    """A stream that is refused when it goes on beyond *limit* bytes."""

    def __init__(self, stream: Readable, name: str, limit: int) -> None:
        self._stream, self._name, self._limit = stream, name, limit
        self._left = limit

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise LimitExceeded(self._name, "size in bytes", self._limit)
        return piece


class _Tee:
    """Gives what it reads, and writes it into an ingest too."""

    def __init__(self, stream: Readable, ingest: Ingest) -> None:
        self._stream, self._ingest = stream, ingest

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        if piece:
            self._ingest.write(piece)
        return piece
