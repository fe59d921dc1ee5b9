"""COPY: which files, to which places, as a layer; and a key of all that it copies.

Two halves. `select` finds the files and what their content is: that is the key, and needs no
base image. `Copying.write` puts them where they go in a base: into the folders that are there,
through their links (reference, "COPY"; BuildKit's ``dispatchCopy``).
"""

from __future__ import annotations

import hashlib
import io
import posixpath
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from pytest_images.builder.modes import Owner, changed_mode, owner_of
from pytest_images.builder.placing import Places
from pytest_images.builder.trees import MemoryTree, opened
from pytest_images.builder.unpacking import Dress, is_archive, unpack_into
from pytest_images.dockerfile.globs import compile_glob
from pytest_images.dockerfile.ignore import IgnoreRules
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Changed, Entry
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.builder.fingerprints import Fingerprints
    from pytest_images.builder.trees import Item, Tree
    from pytest_images.dockerfile.heredoc import Heredoc
    from pytest_images.layer.files import ImagePath
    from pytest_images.layer.writer import LayerWriter

_WILD = regex(r"[*?\[]")
_NO_RULES = IgnoreRules()
_PIVOT = "/./"  # with --parents: the path from here on is kept
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


class Copying:
    """The files of one COPY."""

    def __init__(self, order: Order, chosen: list[Chosen], count: int) -> None:
        self.order, self.chosen = order, chosen
        self._is_many = count > 1  # sources: so the destination is a folder

    def joined(self, other: Copying) -> Copying:
        """Return the copying of these files and those of *other*, by this order."""
        return Copying(self.order, [*self.chosen, *other.chosen], 2 if self._is_many else 1)

    def digest(self, known: Fingerprints) -> str:
        """Return the digest of names, modes, owners and contents; times do not count."""
        found = hashlib.sha256()
        for chosen in self.chosen:
            item = chosen.item
            content = known.of(chosen.tree, item) if item.kind is Kind.FILE else item.target
            owner = (item.uid, item.gid) if chosen.tree.has_owners else ()
            xattrs = sorted(item.xattrs.items()) if item.xattrs else []
            where = (chosen.path, chosen.name, chosen.unpacks)
            line = (*where, item.kind.value, item.mode, owner, content, xattrs)
            found.update(repr(line).encode("utf-8", "surrogateescape") + b"\n")
        return found.hexdigest()

    def write(self, writer: LayerWriter, base: ImagePath | None, latest: int) -> None:
        """Write the layer of the copied files over *base*; times are *latest* at most.

        Raises Malformed, and Changed (with the path) for a file that changed meanwhile.
        """
        owner = self._owner(base)
        places = Places(None if self.order.is_linked else base, writer, latest, owner or ROOT)
        target = places.resolved(self.order.destination)
        is_folder = self.order.destination.endswith("/") or places.is_folder(target)
        if self._is_many and not is_folder and any(map(_is_file, self.chosen)):
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

    def _last(self) -> list[Chosen]:
        """Return what is copied, of two files with one path the later."""
        if not self._is_many:
            return self.chosen
        last = {chosen.path or chosen.name: chosen for chosen in self.chosen}
        tops = [chosen for chosen in self.chosen if not (chosen.path or chosen.name)]
        return [*tops[:1], *last.values()] if tops else list(last.values())

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


def whole_file(order: Order, tree: Tree, name: str) -> Copying:
    """Return the copying of the one file of *tree*, called *name*."""
    chosen = [Chosen(tree, item, "", name, order.unpacks) for item in tree.below("")]
    return Copying(order, chosen, 1)


def mounted(source: str, tree: Tree) -> Copying:
    """Return all that the one path *source* means in *tree*. Raises Malformed: nothing."""
    path = posixpath.normpath("/" + source).lstrip("/")
    item = tree.find(path)
    if item is None:
        raise Malformed(f'"/{path}": not found')
    order = Order((source,), "/")
    return Copying(order, list(_with_content(_Match(item, path, ""), tree, _NO_RULES, order)), 1)


def select(order: Order, tree: Tree) -> Copying:
    """Find the files that *order* names in *tree*. Raises Malformed: there is no such file."""
    chosen: list[Chosen] = []
    count = len(order.documents)
    rules = IgnoreRules.of(order.excludes)
    for document in order.documents:
        memory = MemoryTree({document.name: document.content.encode("utf-8", "surrogateescape")})
        item = memory.find(document.name)
        if item is not None:
            chosen.append(Chosen(memory, item, "", document.name))
    for source in order.sources:
        found = list(_matching(source, tree))
        count += len(found)
        for match in found:
            chosen += _with_content(match, tree, rules, order)
    return Copying(order, chosen, max(count, len(order.sources) + len(order.documents)))


class _Match(NamedTuple):
    """A source that is there: what it is, and the path by which it was named."""

    item: Item
    path: str
    kept: str  # with --parents: the part of the path that is kept


def _matching(source: str, tree: Tree) -> Iterator[_Match]:
    """Yield what *source* names: one file or folder, or all that its wildcards match."""
    head, pivot, tail = source.partition(_PIVOT)
    base = posixpath.normpath("/" + head).lstrip("/") if pivot else ""
    plain = posixpath.normpath("/" + (f"{head}/{tail}" if pivot else source)).lstrip("/")
    kept = len(base) + 1 if base else 0
    if not _WILD.search(plain):
        item = tree.find(plain)
        if item is None:
            raise Malformed(f'"/{plain}": not found')
        yield _Match(item, plain, plain[kept:])
        return
    for path in _expanded(plain.split("/"), tree):
        item = tree.find(path)
        if item is not None:
            yield _Match(item, path, path[kept:])


def _expanded(names: list[str], tree: Tree) -> Iterator[str]:
    """Yield the paths that a pattern matches, in order: below the names without wildcards.

    Only what comes before the first wildcard may be a link.
    """
    count = next(number for number, name in enumerate(names) if _WILD.search(name))
    above = "/".join(names[:count])
    folder = tree.find(above)
    if folder is None or folder.kind is not Kind.DIRECTORY:
        return
    matches = [compile_glob(name).fullmatch for name in names[count:]]
    cut = len(folder.path) + 1 if folder.path else 0
    for item in tree.below(folder.path):
        found = item.path[cut:].split("/")
        if len(found) == len(matches) and all(
            match(name) for match, name in zip(matches, found, strict=True)
        ):
            yield f"{above}/{'/'.join(found)}" if above else "/".join(found)


def _with_content(match: _Match, tree: Tree, rules: IgnoreRules, order: Order) -> Iterator[Chosen]:
    """Yield a file, or a folder's content: without *order*'s parents not the folder itself."""
    item = match.item
    name = posixpath.basename(match.path)
    if item.kind is not Kind.DIRECTORY:
        if rules.excludes(name):
            return
        if order.keeps_parents:
            yield from _parents(tree, match, posixpath.dirname(match.kept))
        path = match.kept if order.keeps_parents else ""
        yield Chosen(tree, item, path, name, order.unpacks)
        return
    prefix = match.kept if order.keeps_parents else ""
    if order.keeps_parents:
        yield from _parents(tree, match, match.kept)
    else:
        yield Chosen(tree, item, "", "")
    cut = len(item.path) + 1 if item.path else 0
    for inner in tree.below(item.path):
        path = inner.path[cut:]
        if not rules.excludes(path):
            yield Chosen(tree, inner, f"{prefix}/{path}" if prefix else path, "")


def _parents(tree: Tree, match: _Match, kept: str) -> Iterator[Chosen]:
    """Yield the folders *kept*, which ``--parents`` keeps."""
    base = match.path[: len(match.path) - len(match.kept)]
    names = kept.split("/") if kept else []
    for count in range(1, len(names) + 1):
        path = "/".join(names[:count])
        item = tree.find(base + path)
        if item is not None:
            yield Chosen(tree, item, path, "")


def _is_file(chosen: Chosen) -> bool:
    return not chosen.path and chosen.item.kind is not Kind.DIRECTORY


def _plain(stream: BinaryIO) -> int | None:
    """Return the descriptor of a file of this machine, for the kernel to copy from."""
    return stream.fileno() if type(stream) is io.FileIO else None


def _is_numeric(owner: str) -> bool:
    return all(part.isdigit() for part in owner.split(":") if part)


def _numeric(owner: str) -> Owner:
    user, _, group = owner.partition(":")
    return Owner(int(user), int(group or user))
