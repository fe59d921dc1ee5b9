"""The files that layers make, to copy from and to find places in: each layer is listed once.

What a large layer lists is kept in the store, and the layer need not be inflated for the next
build. What is read from it is verified before, as it was when it was listed.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pytest_images.builder.listings import Listings
from pytest_images.errors import DigestMismatch
from pytest_images.layer.contents import Contents
from pytest_images.layer.files import Files
from pytest_images.layer.limit import expansion_limit
from pytest_images.layer.measure import measure
from pytest_images.layer.scope import Layer
from pytest_images.layer.written import MOST, contents_of
from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from pytest_images.builder.cache import BuiltLayer
    from pytest_images.content.store import Store
    from pytest_images.layer.written import Noted

KEPT = 2  # chains of layers that stay put together: a step stands on the one before
Chain = tuple[tuple[Digest, Digest], ...]


class Views:
    """The views of one build. Used by the threads of its stages."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._layers: dict[tuple[Digest, Digest], Layer] = {}
        self._files: dict[Chain, Files] = {}
        self._written: dict[Digest, list[Noted]] = {}

    def learn(self, layer: BuiltLayer, noted: list[Noted]) -> None:
        """Hear what was written into a layer, which is in the store since then."""
        with self._lock:
            self._written[layer.digest] = noted
            while sum(map(len, self._written.values())) > MOST:
                del self._written[next(iter(self._written))]

    def files(self, layers: Sequence[BuiltLayer]) -> Files:
        """Return the files of *layers* (lowest first); a layer is listed at the first question."""
        chain = tuple((each.digest, each.diff_id) for each in layers)
        with self._lock:
            found = self._files.pop(chain, None) or self._made(chain)
            self._files[chain] = found
            while len(self._files) > KEPT:
                del self._files[next(iter(self._files))]
            return found

    def _made(self, chain: Chain) -> Files:
        starts = [each for each in self._files if each and each == chain[: len(each)]]
        below = self._files[max(starts, key=len)] if starts else None
        return Files([self._layer(*each) for each in chain], "the image", below)

    def _layer(self, digest: Digest, diff_id: Digest) -> Layer:
        key = digest, diff_id
        if key not in self._layers:
            blob = _Blob(self._store, digest, diff_id, self._written.pop(digest, None))
            limit = expansion_limit(self._store.root)
            folder = self._store.root
            self._layers[key] = Layer(
                digest, diff_id, blob.list, blob.open, limit=limit, folder=folder
            )
        return self._layers[key]


class _Blob:
    """The blob of one layer: listed, and read, only once it was held against its digest.

    What this build wrote itself, as *noted*, was hashed on its way.
    """

    def __init__(
        self, store: Store, digest: Digest, diff_id: Digest, noted: list[Noted] | None
    ) -> None:
        self._store, self._digest, self._diff_id = store, digest, diff_id
        self._noted = noted
        self._lock = threading.Lock()
        self._is_verified = noted is not None

    def list(self) -> Contents:
        """List it. Raises DigestMismatch, InvalidLayer."""
        listings = Listings(self._store)
        found = listings.get(self._digest, self._diff_id)
        if found is None:
            found = self._listed()
            listings.put(self._digest, self._diff_id, found)
        return found

    def _listed(self) -> Contents:
        noted, self._noted = self._noted, None
        if noted is None:
            return self._measured()
        return contents_of(noted, f"layer {self._digest}")

    def _measured(self) -> Contents:
        source = f"layer {self._digest}"
        contents = Contents(source)
        algorithm = self._diff_id.algorithm
        with self._store.open_blob(self._digest) as stream:
            limit = expansion_limit(self._store.root)
            facts = measure(stream, source, limit, algorithm=algorithm, visit=contents.add)
        if facts.diff_id != self._diff_id:
            raise DigestMismatch(str(self._diff_id), str(facts.diff_id), source)
        self._is_verified = True
        self._store.add_layer(self._digest, facts)
        return contents

    def open(self) -> BinaryIO:
        """Open it. Raises DigestMismatch, BlobNotFound."""
        with self._lock:
            if not self._is_verified:
                self._verify()
                self._is_verified = True
        return self._store.open_blob(self._digest)

    def _verify(self) -> None:
        import hashlib

        with self._store.path(self._digest).open("rb", buffering=0) as stream:
            found = hashlib.file_digest(stream, self._digest.algorithm)
        actual = Digest(self._digest.algorithm, found.hexdigest())
        if actual != self._digest:
            raise DigestMismatch(str(self._digest), str(actual), f"layer {self._digest}")
