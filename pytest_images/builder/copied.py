"""The layer of a COPY: the files that were chosen, where they go in a base.

Into the folders that are there, through their links (reference, "COPY"; BuildKit's
``dispatchCopy``).
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.builder.copying import MANY, Chosen
from pytest_images.builder.modes import ROOT, Owner, changed_mode, owner_of
from pytest_images.builder.placing import Places
from pytest_images.builder.trees import Hashed, opened
from pytest_images.builder.unpacking import Dress, is_archive, unpack_into
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.layer.changed import Changed
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_images.builder.copying import Below, Copying, Order
    from pytest_images.builder.fingerprints import Fingerprints
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
    dress = Dress(latest, owner)
    for chosen in _last(copying):
        path = _path(chosen, target, is_folder=is_folder)
        if not chosen.path and chosen.item.kind is Kind.DIRECTORY:
            places.folder(path)
        elif chosen.unpacks and is_archive(chosen.tree, chosen.item):
            unpack_into(places, target, chosen.tree, chosen.item, dress)
        else:
            _put(places, chosen, _entry(order, chosen, path, owner, latest), path, learn)


def _last(copying: Copying) -> Iterable[Chosen]:
    """Return what is copied, of two files with one path the later."""
    if not copying.is_many:
        return copying.chosen
    last: dict[str, Chosen] = {}
    tops = []
    for chosen in copying.chosen:
        if path := chosen.path or chosen.name:
            last[path] = chosen
        else:
            tops.append(chosen)
    return [*tops[:1], *last.values()]


def _is_file(part: Chosen | Below) -> bool:
    return isinstance(part, Chosen) and not part.path and part.item.kind is not Kind.DIRECTORY


def _path(chosen: Chosen, target: str, *, is_folder: bool) -> str:
    """Return where a file goes in the base."""
    if chosen.path:
        return f"{target}/{chosen.path}".lstrip("/")
    is_inside = is_folder and chosen.item.kind is not Kind.DIRECTORY
    return f"{target}/{chosen.name}".lstrip("/") if is_inside else target


def _entry(order: Order, chosen: Chosen, path: str, owner: Owner | None, latest: int) -> Entry:
    item = chosen.item
    mode = item.mode
    if order.mode and item.kind is not Kind.SYMLINK:
        mode = changed_mode(order.mode, mode, is_folder=item.kind is Kind.DIRECTORY)
    own = Owner(item.uid, item.gid) if chosen.tree.has_owners else ROOT
    return Entry(
        path.encode("utf-8", "surrogateescape"),
        item.kind,
        mode,
        *(owner or own),
        min(item.mtime, latest),
        item.size,
        item.target.encode("utf-8", "surrogateescape"),
        xattrs=item.xattrs or {},
    )


def _put(
    places: Places, chosen: Chosen, entry: Entry, path: str, learn: Fingerprints | None
) -> None:
    item = chosen.item
    if item.kind is Kind.DIRECTORY:
        places.entry(entry)
        return
    places.make_room(path)
    if item.kind is not Kind.FILE:
        places.writer.add(entry)
        return
    try:
        digest = _copy(places.writer, chosen, entry, hashes=learn is not None)
        if learn is not None:
            learn.learn(chosen.tree, item, digest)
    except Changed as error:
        raise Changed(item.path) from error
    except OSError as error:
        raise Changed(item.path, error.strerror or str(error)) from error


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
