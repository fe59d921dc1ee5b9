"""The content store: bytes by digest, and what is recorded about them.

One folder (see `home`), many processes. Blobs are files named by their digest and appear
whole; names and images are small files, the truth; a database indexes them. Several threads
may share a `Store`; a forked child may go on using it with locks and a connection of its own.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Self, TypeVar

from pytest_images.content import home as homes
from pytest_images.content import locks, rows
from pytest_images.content.blobs import READ_LIMIT, Blobs
from pytest_images.content.durability import Durability
from pytest_images.content.failures import translated
from pytest_images.content.index import Index
from pytest_images.content.view import View
from pytest_images.errors import ImageNotFound, InvalidDigest
from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType

    from pytest_images.content.collect import Collector
    from pytest_images.content.facts import LayerFacts, Report, Share, Usage
    from pytest_images.content.ingest import Ingest
    from pytest_images.content.leases import Lease
    from pytest_images.content.names import Record
    from pytest_images.content.notes import Notes
    from pytest_images.content.records import Records
    from pytest_images.content.view import Found
    from pytest_images.model.config import Config
    from pytest_images.model.image import Image, Removal
    from pytest_images.model.manifest import Index as ImageIndex
    from pytest_images.model.manifest import Manifest
    from pytest_images.model.reference import Reference
    from pytest_images.model.selector import Selector

T = TypeVar("T")
LOCK_TIMEOUT = 120.0  # seconds that a short lock is awaited


class Store:
    """A store that is open; made by `Store.open`, a context manager."""

    def __init__(
        self, home: homes.Home, runs: tuple[str, ...], durability: Durability, lock_timeout: float
    ) -> None:
        self.root = home.root
        self.durability = durability
        self.run = runs[0] if runs else None
        self._home, self._timeout = home, lock_timeout
        self._blobs = Blobs(home)
        self._index = Index(home, self._blobs, durability, runs, lock_timeout)
        self._alive: list[locks.Held] = []
        self._used: set[Digest] = set()  # images that this process looked up in its run
        self._uses: list[Lease] = []  # those of them that others recorded

    @classmethod
    def open(
        cls,
        root: Path | None = None,
        *,
        run: str | None = None,
        below: str | None = None,
        durability: Durability | None = None,
        lock_timeout: float = LOCK_TIMEOUT,
    ) -> Store:
        """Open the store at *root*, made where there is none.

        *root* None is ``$PYTEST_IMAGES_HOME``, else a folder in the user's cache. With *run*,
        names are written into that run's overlay, which lives while a process has it open;
        what the run *below* named is seen beneath them, and lives as long.
        *durability* None is ``$PYTEST_IMAGES_DURABILITY``, else safe. *lock_timeout* is in
        seconds. Raises StoreUnsafe, StoreTooNew, StoreReadOnly, StoreFull, StoreDamaged,
        InvalidUsage (a bad *run*), InvalidConfiguration.
        """
        overlays = tuple(dict.fromkeys(name for name in (run, below) if name is not None))
        if overlays:
            from pytest_images.content import runs

            for name in overlays:
                runs.check(name)
        durability = Durability.chosen(durability)
        home = homes.prepare(homes.locate(root), durability)
        store = cls(home, overlays, durability, lock_timeout)
        store._verify_unflushed()
        for name in overlays:
            store._join(name)
        return store

    def _join(self, run: str) -> None:
        from pytest_images.content import runs

        self._alive.append(runs.join(self._home, self._index, run))

    def _verify_unflushed(self) -> None:
        if self.durability is Durability.SAFE and not os.path.lexists(self._home.unflushed):
            return
        from pytest_images.content import unflushed

        if unflushed.is_due(self._home):
            unflushed.recover(self._home, self._blobs, self._index, self._timeout)
        if self.durability is Durability.FAST:
            unflushed.mark(self._home)

    def close(self) -> None:
        """Close the database and leave the runs. Safe when called twice."""
        self._index.close()
        while self._uses:
            self._uses.pop().end()
        while self._alive:
            alive = self._alive.pop()
            if alive.descriptor >= 0:  # not the copy of a forked child
                with suppress(OSError):  # a sweep finds it: its lock is free from now on
                    alive.path.unlink(missing_ok=True)
            alive.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # blobs

    def has(self, digest: Digest) -> bool:
        """Say whether the blob is here."""
        return self._blobs.has(digest)

    def size(self, digest: Digest) -> int:
        """Return the size of a blob in bytes. Raises BlobNotFound."""
        return self._blobs.size(digest)

    def path(self, digest: Digest) -> Path:
        """Return the file of a blob, for sendfile, splice or hashing; never write to it."""
        return self._blobs.path(digest)

    def open_blob(self, digest: Digest) -> BinaryIO:
        """Open a blob for reading, not verified again. Raises BlobNotFound, StoreDamaged."""
        return self._blobs.open(digest)

    def read(self, digest: Digest, limit: int = READ_LIMIT) -> bytes:
        """Return a whole blob, verified.

        Raises BlobNotFound, LimitExceeded (more than *limit* bytes), StoreDamaged.
        """
        return self._blobs.read(digest, limit)

    def put(self, raw: bytes, expected: Digest | None = None) -> Digest:
        """Store a small blob; returns its digest. Raises DigestMismatch, StoreFull, StoreError.

        Like `Ingest.commit`, it lasts from the next `add` on; hold it by a lease until then.
        """
        digest = Digest.of(raw, expected.algorithm if expected else "sha256")
        if (expected is None or digest == expected) and self._blobs.holds(digest, raw):
            return digest
        with self.ingest(expected, len(raw), algorithm=digest.algorithm) as blob:
            blob.write(raw)
            return blob.commit()

    def ingest(
        self,
        expected: Digest | None = None,
        size: int | None = None,
        source: str = "",
        algorithm: str = "sha256",
    ) -> Ingest:
        """Begin to store a blob; bytes are refused beyond *size* and for another digest.

        *source* names where they come from, for errors; *algorithm* counts without *expected*.
        """
        from pytest_images.content.ingest import Ingest

        return Ingest(
            self._home,
            self._blobs,
            self.durability,
            expected=expected,
            size=size,
            source=source,
            algorithm=algorithm,
        )

    def guard(self, *key: str) -> AbstractContextManager[object]:
        """Hold the lock of a piece of work (``"pull", name``) across all processes, in a block.

        It may be held as long as the work takes. Raises LockTimeout naming the holder.
        """
        from pytest_images.content import guards

        return guards.hold(self._home, key, self._timeout)

    def claim(self, *key: str) -> AbstractContextManager[object] | None:
        """Take the guard of a piece of work where it is free now; None: another has it."""
        from pytest_images.content import guards

        return guards.claim(self._home, key)

    @contextmanager
    def fetching(self, digest: Digest) -> Iterator[bool]:
        """Guard the fetching of one blob; gives whether it is here, asked under the lock."""
        with self.guard("blob", str(digest)):
            here = self.has(digest)
            if here:
                self._blobs.touch(digest)
            yield here

    def workspace(self, name: str) -> Path:
        """Return the folder *name* for what can be lost: it is made again from the blobs.

        No check of the store looks into it. Raises StoreFull, StoreReadOnly, StoreError.
        """
        folder = self.root / homes.WORK / name
        with translated(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def outcomes(self) -> Notes | None:
        """Return what the processes of this run tell each other; None outside of a run."""
        from pytest_images.content.notes import Notes

        return Notes(self._home.runs / self.run / "outcomes") if self.run else None

    # records

    def add(
        self,
        manifest: Manifest,
        config: Config,
        names: Sequence[Reference] = (),
        pinned: Sequence[Reference] = (),
        index: Digest | None = None,
        *,
        tagged: str = "",
    ) -> dict[Reference, Digest]:
        """Record an image whose blobs are all here, and let the tags *names* stand for it.

        *pinned* names (repository and digest) are added beside; *index* is the index the
        manifest was chosen from, kept as long as the image; *tagged* as for `name`.
        Returns, for each name that moved, the ID of the image it stood for. On the disk when it
        returns. Raises BlobNotFound, SizeMismatch, DigestMismatch (the config is not the
        manifest's), InvalidUsage.
        """
        return self._records().add(manifest, config, names, pinned, index, tagged=tagged)

    def exchange(self, old: Digest, manifest: Manifest, config: Config) -> None:
        """Give an image, and its tags with the manifest *old*, another one of the same config.

        Its blobs are all here. Raises as `add`; ImageNotFound.
        """
        self._records().exchange(old, manifest, config)

    def name(
        self,
        reference: Reference,
        image: Digest,
        manifest: Digest | None = None,
        *,
        tagged: str = "",
    ) -> Digest | None:
        """Let the tag *reference* stand for the image with the ID *image*.

        *manifest* chooses among several manifests of that image; None: the recorded one.
        *tagged* is what `tagged` says of the image from now on; empty: what it said.
        Returns the ID it stood for before, None if for none. Raises ImageNotFound.
        """
        return self._records().name(reference, image, manifest, tagged)

    def unname(self, reference: Reference) -> Digest | None:
        """Take a tag or pinned name away; returns the ID it stood for, None: no such name.

        In a run a global name is hidden from the run, not taken from others.
        """
        return self._records().unname(reference)

    def images(self) -> tuple[Image, ...]:
        """Return all images, newest first, with the names that this run sees."""
        return self._ask(lambda view: view.images())

    def image(self, selector: Selector) -> Image:
        """Return one image by name, repository and digest, ID or the start of an ID.

        Raises ImageNotFound, AmbiguousImage.
        """
        return self._ask(lambda view: view.image(view.find(selector)))

    def tagged(self, image: Digest) -> str:
        """Return when a name was last given to an image here (RFC 3339), empty for never.

        As with Docker, names that came with a pull or a load do not count.
        """
        found = self._ask(lambda view: view.recorded(str(image)))
        return found.tagged if found is not None else ""

    def manifest_of(self, image: Digest) -> Manifest:
        """Return the manifest recorded with an image ID. Raises ImageNotFound, StoreDamaged."""
        from pytest_images.model.manifest import Manifest

        digest = self._recorded(image).manifest
        return Manifest.parse(self.read(Digest.parse(digest)), source=digest)

    def config_of(self, image: Digest) -> Config:
        """Return the config with an image ID. Raises ImageNotFound, StoreDamaged."""
        from pytest_images.model.config import Config

        digest = self.manifest_of(image).config.digest
        return Config.parse(self.read(digest), source=str(digest))

    def index_of(self, image: Digest) -> ImageIndex | None:
        """Return the index that the image was chosen from, None where it came without."""
        from pytest_images.model.manifest import Index as ImageIndex

        digest = self._recorded(image).source
        return ImageIndex.parse(self.read(Digest.parse(digest)), source=digest) if digest else None

    def _recorded(self, image: Digest) -> Found:
        found = self._ask(lambda view: view.recorded(str(image)))
        if found is None:
            raise ImageNotFound(str(image), str(self.root))
        return found

    def _ask(self, question: Callable[[View], T]) -> T:
        return self._index.read(lambda connection: question(View(connection, self._index.runs)))

    def forget(self, image: Digest, *, delete: bool = False) -> tuple[Removal, ...]:
        """Drop an image and all its names, as this run sees them.

        Its blobs become cache, or with *delete* go now, but for those that another image,
        run or lease reaches. Returns the names, the image with what its own config freed
        (bytes), and each further blob that was deleted. Raises ImageNotFound.
        """
        return self._dropped(*self._records().forget(image), delete=delete)

    def forget_unchanged(
        self, images: Iterable[Image], *, delete: bool = False
    ) -> tuple[Removal, ...]:
        """Drop several images in one change; one that got or lost a name since stays.

        As `forget` otherwise, but that what is no longer here is left out too.
        """
        return self._dropped(*self._records().forget_unchanged(images), delete=delete)

    def _dropped(
        self, removals: list[Removal], content: set[str], *, delete: bool
    ) -> tuple[Removal, ...]:
        """Say what was dropped, once its blobs are deleted where they shall be."""
        gone = self._collector().delete(sorted(content)) if delete and content else []
        freed = {Digest.parse(blob.digest): blob.size for blob in gone}
        from pytest_images.model.image import Removal

        told = [
            Removal(removal.untagged, removal.deleted, freed.pop(removal.deleted, 0))
            if removal.deleted is not None
            else removal
            for removal in removals
        ]
        told += [Removal(deleted=digest, size=size) for digest, size in freed.items()]
        return tuple(told)

    def delete_document(self, digest: Digest) -> int | None:
        """Delete a manifest or index and all it lists, though an index that lists it stays.

        What else is in use of it stays. Returns the bytes freed; None: it is in use itself.
        """
        return self._collector().delete_document(str(digest))

    def in_use(self) -> frozenset[str]:
        """Return the digests that live leases hold, and the IDs of images in other runs."""
        from pytest_images.content import leases

        with translated(self.root):
            held = leases.held(self._home)
        recorded = self._index.survey(lambda db: rows.images_beyond(db, self._index.runs))
        return frozenset(held | recorded)

    def layers_kept(self, layers: Sequence[tuple[Digest, Digest]]) -> int:
        """Return how many of *layers* (digest and diff ID, the base first) an image still has.

        Counted from the base, in one image of any run: what Docker would keep of this chain.
        """
        pairs = [(str(digest), str(diff_id)) for digest, diff_id in layers]
        return self._index.read(lambda db: rows.layers_kept(db, pairs))

    def remember(self, reference: Reference, digest: Digest) -> None:
        """Note what a registry just said that *reference* stands for; a power cut may lose it."""
        self._resolved().write({"digest": str(digest), "at": time.time()}, str(reference))

    def remembered(self, reference: Reference) -> tuple[Digest, float] | None:
        """Return what a registry last said of *reference* and when (seconds since 1970)."""
        note = self._resolved().read(str(reference))
        with suppress(KeyError, TypeError, ValueError, InvalidDigest):  # none, or none of ours
            return Digest.parse(str(note["digest"])), float(note["at"])
        return None

    def _resolved(self) -> Notes:
        from pytest_images.content.notes import Notes

        return Notes(self.root / homes.WORK / "resolved")

    def layer(self, digest: Digest) -> LayerFacts | None:
        """Return what a layer is unpacked, None where nobody has looked."""
        from pytest_images.content.facts import LayerFacts

        query = "SELECT diff_id, tar_size, content_size FROM layer WHERE digest=?"
        row = self._index.read(lambda db: db.execute(query, (str(digest),)).fetchone())
        return LayerFacts(Digest.parse(row[0]), row[1], row[2]) if row else None

    def add_layer(self, digest: Digest, facts: LayerFacts) -> None:
        """Record what a layer is unpacked; `Image.size` adds it up."""
        self.add_layers({digest: facts})

    def add_layers(self, found: Mapping[Digest, LayerFacts]) -> None:
        """Record what layers are unpacked, all at once."""
        added = [
            (str(digest), str(facts.diff_id), facts.tar_size, facts.content_size)
            for digest, facts in found.items()
        ]
        self._index.write(lambda writer: rows.add_layers(writer.connection, added))

    # lives

    def lease(self) -> Lease:
        """Begin to hold blobs, for a ``with`` block; see `Lease.hold`."""
        from pytest_images.content.leases import Lease

        return Lease(self._home, self._timeout)

    def use(self, image: Image) -> None:
        """Keep an image that others recorded in use while this process has its run open.

        Without a run, or of an image that the run recorded itself, nothing has to be kept.
        """
        if self.run is None or image.id in self._used:
            return
        self._used.add(image.id)
        run = self.run
        if not self._index.read(lambda db: rows.records(db, run, str(image.id))):
            if not self._uses or not self._uses[-1].lives:  # none yet, or a parent's
                self._uses.append(self.lease())
            for digest in (image.id, image.digest):
                self._uses[-1].hold(digest)

    def end_run(self, run: str) -> tuple[Removal, ...]:
        """Drop a run's overlay and what the dead held; returns its names and images.

        The blobs stay as cache. A store opened in that run can no longer be asked for names.
        """
        from pytest_images.content import leases, runs

        records = self._index.drop_run(runs.check(run))
        leases.sweep(self._home)
        return _removals(records)

    def sweep(self) -> tuple[Removal, ...]:
        """End the runs, leases and ingests whose processes are gone; returns what they had."""
        from pytest_images.content import collect, ingest, leases, runs

        with translated(self.root):
            with self._index.exclusive():
                records = [
                    record for run in runs.dead(self._home) for record in self._index.drop_run(run)
                ]
            leases.sweep(self._home)
            ingest.sweep(self._home)
            collect.empty_trash(self._home)
        return _removals(records)

    def collect(self, budget: int | None = None) -> tuple[Removal, ...]:
        """Delete cached blobs, least recently used first, until they fit *budget* (bytes).

        None is ``$PYTEST_IMAGES_BUDGET``, else 20 GiB. Cached is what no record and no lease
        reaches; what was never part of an image is spared for its first 24 hours. Raises
        StoreDamaged, and deletes nothing, while a record cannot be read.
        """
        from pytest_images.content import collect

        gone = self._collector().evict(collect.chosen_budget(budget))
        from pytest_images.model.image import Removal

        return tuple(Removal(deleted=Digest.parse(b.digest), size=b.size) for b in gone)

    def fsck(self, *, repair: bool = False, rebuild: bool = False) -> Report:
        """Check everything; with *repair* remove what is damaged and what cannot be without it.

        *rebuild* makes the database again from the record files and the blobs.
        """
        from pytest_images.content import fsck

        return fsck.check(
            self._home, self._blobs, self._index, self._timeout, repair=repair, rebuild=rebuild
        )

    def usage(self) -> Usage:
        """Count what is here, how much of it could go with images not in use, and the cache."""
        from pytest_images.content.usage import usage

        return usage(self._home, self._collector(), self.images(), self.in_use())

    def shares(self) -> dict[Digest, Share]:
        """Return what each image takes on the disk, by its ID: with others, and alone."""
        from pytest_images.content.usage import shares

        return shares(self._home, self._collector())

    def _records(self) -> Records:
        from pytest_images.content.records import Records

        return Records(self._home, self._blobs, self._index, self.durability, self._timeout)

    def _collector(self) -> Collector:
        from pytest_images.content.collect import Collector

        return Collector(self._home, self._blobs, self._index, self._timeout)


def _removals(records: list[Record]) -> tuple[Removal, ...]:
    """What the records of a run that ended were: names, and images."""
    from pytest_images.model.image import Removal
    from pytest_images.model.reference import Reference

    shown = [record for record in records if not record.hides]
    names = [Removal(untagged=Reference.parse_bare(r.name)) for r in shown if r.name]
    images = [Removal(deleted=Digest.parse(r.image)) for r in shown if not r.name]
    return (*names, *images)
