"""COPY: which files, to which places, as a layer; and a key of all that it copies.

Two halves. `Copying.digest` says what was chosen (see `choosing`): that is the key, and needs no
base image. `Copying.write` puts them where they go in a base: into the folders that are there,
through their links (reference, "COPY"; BuildKit's ``dispatchCopy``).
"""

from __future__ import annotations

import hashlib
import io
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from pytest_images.builder.modes import Owner, changed_mode, owner_of
from pytest_images.builder.placing import Places
from pytest_images.builder.trees import opened
from pytest_images.builder.unpacking import Dress, is_archive, unpack_into
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Changed, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_images.builder.fingerprints import Fingerprints
    from pytest_images.builder.siblings import Item, Siblings
    from pytest_images.builder.trees import Tree
    from pytest_images.dockerfile.heredoc import Heredoc
    from pytest_images.layer.files import ImagePath
    from pytest_images.layer.writer import LayerWriter

ROOT = Owner(0, 0)
MANY = (
    "when using COPY with more than one source file, the destination must be a directory and "
    "end with a /"
)


class Order(NamedTuple):
    """What COPY asks for, all words expanded; *destination* is absolute, a folder with ``/``.

    *unpacks*: archives among the sources are unpacked, as ADD does. *is_linked*: into folders
    of its own, no link of the image is followed.
    """

    sources: tuple[str, ...]
    destination: str
    owner: str = ""
    mode: str = ""
    keeps_parents: bool = False
    excludes: tuple[str, ...] = ()
    documents: tuple[Heredoc, ...] = ()
    unpacks: bool = False
    is_linked: bool = False


class Chosen(NamedTuple):
    """One file to copy: where it is, and its path below the destination ("" : the thing itself).

    *name* is what a file is called where the destination is a folder. *unpacks*: an archive is
    unpacked instead.
    """

    tree: Tree
    item: Item
    path: str
    name: str
    unpacks: bool = False


class Below(NamedTuple):
    """All that is in one folder of a tree, to copy below *prefix*; *cut*: its path's length."""

    tree: Tree
    groups: Sequence[Siblings]
    cut: int
    prefix: str

    def chosen(self) -> Iterator[Chosen]:
        """Return the files one by one."""
        for group in self.groups:
            for item in group.items():
                path = item.path[self.cut :]
                yield Chosen(self.tree, item, f"{self.prefix}/{path}" if self.prefix else path, "")

    def digest(self, known: Fingerprints) -> str:
        """Return the digest of paths, modes, owners and contents."""
        found = hashlib.sha256()
        for group in self.groups:
            content = partial(self._content, group, known)
            digest = known.of_group(self.tree, group, content)
            found.update(_line(group.folder[self.cut :], digest))
        return found.hexdigest()

    def _content(self, group: Siblings, known: Fingerprints) -> str:
        found = hashlib.sha256()
        for name, item in zip(group.names, group.items(), strict=True):
            found.update(_line(name, *_facts(self.tree, item, known)))
        return found.hexdigest()


class Copying:
    """The files of one COPY."""

    def __init__(self, order: Order, parts: Sequence[Chosen | Below], count: int) -> None:
        self.order, self._parts = order, parts
        self._is_many = count > 1  # sources: so the destination is a folder

    def joined(self, other: Copying) -> Copying:
        """Return the copying of these files and those of *other*, by this order."""
        return Copying(self.order, [*self._parts, *other._parts], 2 if self._is_many else 1)

    @property
    def chosen(self) -> Iterator[Chosen]:
        """The files one by one."""
        for part in self._parts:
            if isinstance(part, Below):
                yield from part.chosen()
            else:
                yield part

    def digest(self, known: Fingerprints) -> str:
        """Return the digest of names, modes, owners and contents; times do not count."""
        found = hashlib.sha256()
        for part in self._parts:
            if isinstance(part, Below):
                found.update(_line(part.prefix, part.digest(known)))
            else:
                where = (part.path, part.name, part.unpacks)
                found.update(_line(*where, *_facts(part.tree, part.item, known)))
        return found.hexdigest()

    def write(self, writer: LayerWriter, base: ImagePath | None, latest: int) -> None:
        """Write the layer of the copied files over *base*; times are *latest* at most.

        Raises Malformed, and Changed (with the path) for a file that changed meanwhile.
        """
        owner = self._owner(base)
        places = Places(None if self.order.is_linked else base, writer, latest, owner or ROOT)
        target = places.resolved(self.order.destination)
        is_folder = self.order.destination.endswith("/") or places.is_folder(target)
        if self._is_many and not is_folder and any(map(_is_file, self._parts)):
            raise Malformed(MANY)
        dress = Dress(latest, owner)
        for chosen in self._last():
            path = self._path(chosen, target, is_folder=is_folder)
            if not chosen.path and chosen.item.kind is Kind.DIRECTORY:
                places.folder(path)
            elif chosen.unpacks and is_archive(chosen.tree, chosen.item):
                unpack_into(places, target, chosen.tree, chosen.item, dress)
            else:
                self._put(places, chosen, path, self._entry(chosen, path, owner, latest))

    def _owner(self, base: ImagePath | None) -> Owner | None:
        order = self.order
        if not order.owner:
            return None
        if base is not None:
            return owner_of(order.owner, base)
        if not _is_numeric(order.owner):
            raise Malformed("--chown with a name needs an image that knows the name")
        return _numeric(order.owner)

    def _last(self) -> Iterable[Chosen]:
        """Return what is copied, of two files with one path the later."""
        if not self._is_many:
            return self.chosen
        last: dict[str, Chosen] = {}
        tops = []
        for chosen in self.chosen:
            if path := chosen.path or chosen.name:
                last[path] = chosen
            else:
                tops.append(chosen)
        return [*tops[:1], *last.values()]

    def _path(self, chosen: Chosen, target: str, *, is_folder: bool) -> str:
        """Return where a file goes in the base."""
        if chosen.path:
            return f"{target}/{chosen.path}".lstrip("/")
        is_inside = is_folder and chosen.item.kind is not Kind.DIRECTORY
        return f"{target}/{chosen.name}".lstrip("/") if is_inside else target

    def _put(self, places: Places, chosen: Chosen, path: str, entry: Entry) -> None:
        item = chosen.item
        if item.kind is Kind.DIRECTORY:
            places.entry(entry)
            return
        places.make_room(path)
        if item.kind is not Kind.FILE:
            places.writer.add(entry)
            return
        try:
            content = chosen.tree.read(item)
            if content is not None:
                places.writer.add_bytes(entry, content)
                return
            with opened(chosen.tree, item) as stream:
                descriptor = _plain(stream)
                if descriptor is not None:
                    places.writer.add_file(entry, descriptor)
                else:
                    places.writer.add_stream(entry, stream)
        except Changed as error:
            raise Changed(item.path) from error
        except OSError as error:
            raise Changed(item.path, error.strerror or str(error)) from error

    def _entry(self, chosen: Chosen, path: str, owner: Owner | None, latest: int) -> Entry:
        item = chosen.item
        mode = item.mode
        is_folder = item.kind is Kind.DIRECTORY
        if self.order.mode and item.kind is not Kind.SYMLINK:
            mode = changed_mode(self.order.mode, mode, is_folder=is_folder)
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


def _line(*words: object) -> bytes:
    return repr(words).encode("utf-8", "surrogateescape") + b"\n"


def _facts(tree: Tree, item: Item, known: Fingerprints) -> tuple[object, ...]:
    content = known.of(tree, item) if item.kind is Kind.FILE else item.target
    owner = (item.uid, item.gid) if tree.has_owners else ()
    xattrs = sorted(item.xattrs.items()) if item.xattrs else []
    return item.kind.value, item.mode, owner, content, xattrs


def _is_file(part: Chosen | Below) -> bool:
    return isinstance(part, Chosen) and not part.path and part.item.kind is not Kind.DIRECTORY


def _plain(stream: BinaryIO) -> int | None:
    """Return the descriptor of a file of this machine, for the kernel to copy from."""
    return stream.fileno() if type(stream) is io.FileIO else None


def _is_numeric(owner: str) -> bool:
    return all(part.isdigit() for part in owner.split(":") if part)


def _numeric(owner: str) -> Owner:
    user, _, group = owner.partition(":")
    return Owner(int(user), int(group or user))
