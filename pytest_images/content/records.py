"""Changes of what is recorded: images come and go, names move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.content import durability as disks
from pytest_images.content import locks, rows
from pytest_images.content.durability import Durability
from pytest_images.content.failures import translated
from pytest_images.content.names import Record
from pytest_images.content.view import View
from pytest_images.errors import (
    BlobNotFound,
    DigestMismatch,
    ImageNotFound,
    InvalidUsage,
    SizeMismatch,
)
from pytest_images.model import media_types
from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from pytest_images.content.blobs import Blobs
    from pytest_images.content.home import Home
    from pytest_images.content.index import Index, Writer
    from pytest_images.model.config import Config
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.image import Image, Removal
    from pytest_images.model.manifest import Manifest
    from pytest_images.model.reference import Reference


class Records:
    """What `Store` does to records; each call is one change, all or nothing."""

    def __init__(
        self, home: Home, blobs: Blobs, index: Index, durability: Durability, timeout: float
    ) -> None:
        self._home, self._blobs, self._index = home, blobs, index
        self._durability, self._timeout = durability, timeout

    def add(
        self,
        manifest: Manifest,
        config: Config,
        names: Sequence[Reference],
        pinned: Sequence[Reference],
        index: Digest | None,
        *,
        tagged: str,
    ) -> dict[Reference, Digest]:
        """Record an image whose blobs are all here; see `Store.add`."""
        actual = Digest.of(config.raw, manifest.config.digest.algorithm)
        if actual != manifest.config.digest:
            raise DigestMismatch(str(manifest.config.digest), str(actual), "config")
        image, digest = str(config.id), str(manifest.digest)
        source = str(index) if index is not None else ""
        records = [Record(str(_tag(name)), image, digest, source) for name in names]
        records += [Record(str(_pin(name)), image, digest, source) for name in pinned]
        needed = [manifest.descriptor, manifest.config, *manifest.layers]

        def is_known(connection: sqlite3.Connection) -> bool:
            """Say whether all of this is recorded just so already, and on the disk."""
            scope = rows.scope_of(connection, self._index.run)
            known = View(connection, self._index.runs).recorded(image)
            if scope is None or known is None or not rows.knows(connection, digest):
                return False
            own = Record("", image, digest, source, tagged or known.tagged)
            return all(rows.has(connection, scope, record) for record in (own, *records))

        def change(writer: Writer) -> dict[Reference, Digest]:
            if not rows.knows(writer.connection, digest):
                rows.learn(writer.connection, manifest, config)
            view = View(writer.connection, self._index.runs)
            before = {name: view.named(name) for name in names}
            known = view.recorded(image)
            said = tagged or (known.tagged if known else "")
            for record in (Record("", image, digest, source, said), *records):
                writer.put(record)
            return {
                name: Digest.parse(found.image)
                for name, found in before.items()
                if found is not None and found.image != image
            }

        # Shared with all who add: a collection cannot come between the look and the record.
        with locks.acquire(self._home.collect_lock, self._timeout, shared=True):
            digests = self._require(needed, index)
            if self._is_flushed() and self._index.read(is_known):
                return {}
            self._flush(digests)
            return self._index.write(change)

    def exchange(self, old: Digest, manifest: Manifest, config: Config) -> None:
        """Let tags of an image that have the manifest *old* have *manifest*; see `Store`."""
        image, digest = str(config.id), str(manifest.digest)

        def change(writer: Writer) -> None:
            view = View(writer.connection, self._index.runs)
            known = view.recorded(image)
            if known is None:
                raise ImageNotFound(image, str(self._home.root))
            if not rows.knows(writer.connection, digest):
                rows.learn(writer.connection, manifest, config)
            writer.put(Record("", image, digest, known.source, known.tagged))
            for name in view.names_of(image):
                found = view.named(name)
                if found is not None and found.manifest == str(old) and name.digest is None:
                    writer.put(Record(str(name), image, digest, found.source))

        with locks.acquire(self._home.collect_lock, self._timeout, shared=True):
            self._flush(
                self._require([manifest.descriptor, manifest.config, *manifest.layers], None)
            )
            self._index.write(change)

    def _require(self, needed: Iterable[Descriptor], index: Digest | None) -> list[Digest]:
        """Raise unless all blobs are here and whole; mark them as used, and return them."""
        digests = [] if index is None else [index]
        for descriptor in needed:
            size = self._blobs.find(descriptor.digest)
            if size is None:
                if descriptor.media_type in media_types.FOREIGN_LAYERS:
                    continue  # may not be distributed: an image is whole without it
                raise BlobNotFound(str(descriptor.digest), str(self._home.root))
            if size != descriptor.size:
                raise SizeMismatch(descriptor.size, size, str(descriptor.digest))
            digests.append(descriptor.digest)
        for digest in digests:
            if not self._blobs.has(digest):
                raise BlobNotFound(str(digest), str(self._home.root))
            self._blobs.touch(digest)
        return digests

    def _is_flushed(self) -> bool:
        """Say whether all that was written here is on the disk, as far as it has to be."""
        if self._durability is Durability.FAST:
            return True
        return (
            self._blobs.commits.items() <= self._blobs.flushed.items()
            and not self._home.unflushed.exists()
        )

    def _flush(self, digests: Sequence[Digest]) -> None:
        """Bring the blobs' names to the disk, and the bytes of those written in fast mode."""
        if self._durability is Durability.FAST:
            return
        with translated(self._home.blobs):
            if self._home.unflushed.exists():
                for digest in digests:
                    with self._blobs.open(digest) as file:
                        disks.flush(file.fileno())
            for algorithm in {digest.algorithm for digest in digests}:
                commits = self._blobs.commits.get(algorithm, 0)
                self._durability.flush_folder(self._home.blobs / algorithm)
                self._blobs.flushed[algorithm] = commits

    def name(
        self, reference: Reference, image: Digest, manifest: Digest | None, tagged: str
    ) -> Digest | None:
        """Let a name stand for an image; see `Store.name`."""
        _tag(reference)

        def change(writer: Writer) -> Digest | None:
            view = View(writer.connection, self._index.runs)
            found = view.recorded(str(image))
            if found is None or (manifest and not rows.knows(writer.connection, str(manifest))):
                raise ImageNotFound(str(image), str(self._home.root))
            before = view.named(reference)
            # Each scope is whole in itself: what it names, it records.
            said = tagged or found.tagged
            writer.put(Record("", found.image, found.manifest, found.source, said))
            of_name = str(manifest) if manifest else found.manifest
            writer.put(Record(str(reference), found.image, of_name, found.source))
            return Digest.parse(before.image) if before else None

        return self._index.write(change)

    def unname(self, reference: Reference) -> Digest | None:
        """Take a name away; see `Store.unname`."""

        def change(writer: Writer) -> Digest | None:
            found = View(writer.connection, self._index.runs).named(reference)
            if found is None:
                return None
            self._unname(writer, reference)
            return Digest.parse(found.image)

        return self._index.write(change, frees=True)

    def _unname(self, writer: Writer, reference: Reference) -> None:
        """Drop the scope's record of a name; hide what a scope below has under it."""
        writer.drop_name(reference)
        if View(writer.connection, self._index.runs).named(reference) is not None:
            writer.put(Record(str(reference), "", ""))

    def forget(self, image: Digest) -> tuple[list[Removal], set[str]]:
        """Drop an image and its names; returns what was dropped and the blobs it was made of."""

        def change(writer: Writer) -> tuple[list[Removal], set[str]]:
            if View(writer.connection, self._index.runs).recorded(str(image)) is None:
                raise ImageNotFound(str(image), str(self._home.root))
            return self._forget(writer, image)

        return self._index.write(change, frees=True)

    def forget_unchanged(self, images: Iterable[Image]) -> tuple[list[Removal], set[str]]:
        """Drop those of *images* that still have just these names; as `forget`, in one change."""

        def change(writer: Writer) -> tuple[list[Removal], set[str]]:
            view = View(writer.connection, self._index.runs)
            removals: list[Removal] = []
            content: set[str] = set()
            for image in images:
                if view.recorded(str(image.id)) is not None and view.has_names(image):
                    dropped, parts = self._forget(writer, image.id)
                    removals += dropped
                    content |= parts
            return removals, content

        return self._index.write(change, frees=True)

    def _forget(self, writer: Writer, image: Digest) -> tuple[list[Removal], set[str]]:
        from pytest_images.model.image import Removal

        view, text = View(writer.connection, self._index.runs), str(image)
        names = view.names_of(text)
        content = _content(view, writer, text, names)
        for name in names:
            self._unname(writer, name)
        writer.drop_image(text)
        if view.recorded(text) is not None:
            writer.put(Record("", text, ""))
        return [*(Removal(untagged=name) for name in names), Removal(deleted=image)], content


def _content(view: View, writer: Writer, image: str, names: list[Reference]) -> set[str]:
    """Return all blobs that an image's records reach."""
    found = [view.recorded(image), *map(view.named, names)]
    content = {
        digest for f in found if f is not None for digest in (f.manifest, f.source) if digest
    }
    for manifest in list(content):
        content.update(rows.parts(writer.connection, manifest))
    return content


def _tag(reference: Reference) -> Reference:
    if reference.tag is None or reference.digest is not None:
        raise InvalidUsage(str(reference), "a name that moves has a tag and no digest")
    return reference


def _pin(reference: Reference) -> Reference:
    if reference.digest is None:
        raise InvalidUsage(str(reference), "a pinned name has a digest")
    return reference.with_tag(None).with_digest(reference.digest)
