"""The layer of a COPY: the files that were chosen, where they go in a base.

Into the folders that are there, through their links (reference, "COPY"; BuildKit's
``dispatchCopy``).
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.builder.copying import MANY, Below, Chosen, digest_of
from pytest_images.builder.modes import ROOT, Owner, changed_mode, owner_of
from pytest_images.builder.placing import Places
from pytest_images.builder.trees import Hashed, opened
from pytest_images.builder.unpacking import Dress, is_archive, unpack_into
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.errors import ImagesError
from pytest_images.layer.changed import Changed
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_images.builder.copying import Copying, Order
    from pytest_images.builder.fingerprints import Fingerprints
    from pytest_images.builder.siblings import Siblings
    from pytest_images.layer.files import ImagePath
    from pytest_images.layer.writer import LayerWriter


def write(
    copying: Copying,
    writer: LayerWriter,
    base: ImagePath | None,
    latest: int,
    learn: Fingerprints | None = None,
) -> None:
    """Write the layer of *copying* over *base*; times are *latest* at most.

    *learn* hears what was in each file. Raises Malformed, and Changed (with the path) for a file
    that changed meanwhile.
    """
    order = copying.order
    owner = owner_of(order.owner, base) if order.owner else None
    places = Places(None if order.is_linked else base, writer, latest, owner or ROOT)
    target = places.resolved(order.destination)
    is_folder = order.destination.endswith("/") or places.is_folder(target)
    if copying.is_many and not is_folder and any(map(_is_file, copying.parts)):
        raise Malformed(MANY)
    writing = _Writing(order, places, Dress(latest, owner), target, learn, is_folder=is_folder)
    has_doubles = copying.is_many and _has_doubles(copying.parts)
    for part in _last(copying.chosen) if has_doubles else copying.parts:
        if isinstance(part, Below):
            for group in part.groups:
                writing.add_group(part, group)
        else:
            writing.add(part)


def _has_doubles(parts: Sequence[Chosen | Below]) -> bool:
    """Say whether two of the files go to one path."""
    seen: dict[str, set[str]] = {}
    for part in parts:
        for folder, names in part.places():
            known = seen.setdefault(folder, set())
            if not known.isdisjoint(names):
                return True
            known.update(names)
    return False


def _last(chosen: Iterable[Chosen]) -> Iterable[Chosen]:
    """Return what is copied, of two files with one path the later."""
    last: dict[str, Chosen] = {}
    tops = []
    for each in chosen:
        if path := each.path or each.name:
            last[path] = each
        else:
            tops.append(each)
    return [*tops[:1], *last.values()]


def _is_file(part: Chosen | Below) -> bool:
    return isinstance(part, Chosen) and not part.path and part.item.kind is not Kind.DIRECTORY


class _Writing:
    """What is the same for all files of a COPY."""

    def __init__(
        self,
        order: Order,
        places: Places,
        dress: Dress,
        target: str,
        learn: Fingerprints | None,
        *,
        is_folder: bool,
    ) -> None:
        self._order, self._places, self._dress = order, places, dress
        self._target, self._is_folder, self._learn = target, is_folder, learn

    def add(self, chosen: Chosen) -> str:
        """Write what was chosen; return the digest of a file's content, where it is to be learnt.

        Raises Malformed, Changed.
        """
        path = self._path(chosen)
        if not chosen.path and chosen.item.kind is Kind.DIRECTORY:
            self._places.folder(path)
        elif chosen.unpacks and is_archive(chosen.tree, chosen.item):
            unpack_into(self._places, self._target, chosen.tree, chosen.item, self._dress)
        elif chosen.item.kind is Kind.DIRECTORY:
            self._places.entry(self._entry(chosen, path))
        else:
            self._places.make_room(path)
            if chosen.item.kind is Kind.FILE:
                return self._add_file(chosen, self._entry(chosen, path))
            self._places.writer.add(self._entry(chosen, path))
        return ""

    def add_group(self, below: Below, group: Siblings) -> None:
        """Write files that lie side by side, small ones in one go. Raises Malformed, Changed."""
        contents = below.tree.contents(group)
        if contents.count(None) == len(contents):
            digests = [self.add(below.choose(item)) for item in group.items()]
        else:
            digests = self._add_contents(below, group, contents)
        if self._learn:
            self._learn.learn_group(group, digest_of(below.tree, group, [*filter(None, digests)]))

    def _add_contents(
        self, below: Below, group: Siblings, contents: Sequence[bytes | None]
    ) -> list[str]:
        """Write files, *contents* of the small ones among them; return digests as `add` does."""
        digests = list(map(_digest, contents)) if self._learn else [""] * len(contents)
        above = "/".join(filter(None, (self._target, below.prefix, group.folder[below.cut :])))
        paths = [f"{above}/{name}" for name in group.names] if above else group.names
        is_free = self._places.is_free(above, paths)
        owner = self._dress.owner or (None if below.tree.has_owners else ROOT)
        latest, add = self._dress.latest, self._places.writer.add_plain
        owners = [owner] * len(paths) if owner else group.owners
        files = zip(paths, contents, group.modes_and_times, owners, strict=True)
        for at, (path, content, (mode, mtime), (uid, gid)) in enumerate(files):
            if content is None:
                digests[at] = self.add(below.choose(group.item(at)))
                continue
            if not is_free:
                self._places.make_room(path)
            time = mtime if mtime < latest else latest
            add(_encoded(path), self._mode(mode), uid, gid, time, content)
        return digests

    def _path(self, chosen: Chosen) -> str:
        """Return where a file goes in the base."""
        if chosen.path:
            return f"{self._target}/{chosen.path}".lstrip("/")
        is_inside = self._is_folder and chosen.item.kind is not Kind.DIRECTORY
        return f"{self._target}/{chosen.name}".lstrip("/") if is_inside else self._target

    def _mode(self, mode: int, *, is_folder: bool = False) -> int:
        changes = self._order.mode
        return changed_mode(changes, mode, is_folder=is_folder) if changes else mode

    def _entry(self, chosen: Chosen, path: str) -> Entry:
        item = chosen.item
        is_link = item.kind is Kind.SYMLINK
        mode = (
            item.mode if is_link else self._mode(item.mode, is_folder=item.kind is Kind.DIRECTORY)
        )
        own = Owner(item.uid, item.gid) if chosen.tree.has_owners else ROOT
        return Entry(
            _encoded(path),
            item.kind,
            mode,
            *(self._dress.owner or own),
            min(item.mtime, self._dress.latest),
            item.size,
            _encoded(item.target),
            xattrs=item.xattrs or {},
        )

    def _add_file(self, chosen: Chosen, entry: Entry) -> str:
        item = chosen.item
        try:
            digest = _copy(self._places.writer, chosen, entry, hashes=self._learn is not None)
        except ImagesError:
            raise
        except Changed as error:
            raise Changed(item.path) from error
        except OSError as error:
            raise Changed(item.path, error.strerror or str(error)) from error
        if self._learn is not None:
            self._learn.learn(chosen.tree, item, digest)
        return digest


def _copy(writer: LayerWriter, chosen: Chosen, entry: Entry, *, hashes: bool) -> str:
    """Copy a file; where it *hashes*, return the digest of what was copied."""
    content = chosen.tree.read(chosen.item)
    if content is not None:
        writer.add_bytes(entry, content)
        return hashlib.sha256(content).hexdigest() if hashes else ""
    with opened(chosen.tree, chosen.item) as stream:
        if hashes:
            hashed = Hashed(stream)
            writer.add_stream(entry, hashed)
            return hashed.digest()
        descriptor = _plain(stream)
        if descriptor is not None:
            writer.add_file(entry, descriptor)
        else:
            writer.add_stream(entry, stream)
    return ""


def _plain(stream: BinaryIO) -> int | None:
    """Return the descriptor of a file of this machine, for the kernel to copy from."""
    return stream.fileno() if type(stream) is io.FileIO else None


def _digest(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
