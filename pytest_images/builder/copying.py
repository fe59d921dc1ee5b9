"""COPY: which files, to which places, as a layer; and a key of all that it copies.

Two halves. `select` finds the files and what their content is: that is the key, and needs no
base image. `Copying.write` puts them where they go in a base: into the folders that are there,
through their links (reference, "COPY"; BuildKit's ``dispatchCopy``).
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
from dataclasses import dataclass
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.builder.fingerprints import Fingerprints
    from pytest_images.builder.trees import Item, Tree
    from pytest_images.dockerfile.heredoc import Heredoc
    from pytest_images.layer.files import ImagePath
    from pytest_images.layer.writer import LayerWriter

_WILD = re.compile(r"[*?\[]")
_PIVOT = "/./"  # with --parents: the path from here on is kept
ROOT = Owner(0, 0)


@dataclass(frozen=True, slots=True)
class Order:
    """What COPY asks for, all words expanded; *destination* is absolute, a folder with ``/``.

    *unpacks*: archives among the sources are unpacked, as ADD does.
    """

    sources: tuple[str, ...]
    destination: str
    owner: str = ""
    mode: str = ""
    keeps_parents: bool = False
    excludes: tuple[str, ...] = ()
    documents: tuple[Heredoc, ...] = ()
    unpacks: bool = False


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
            xattrs = sorted((item.xattrs or {}).items())
            where = (chosen.path, chosen.name, chosen.unpacks)
            line = (*where, item.kind.value, item.mode, owner, content, xattrs)
            found.update(repr(line).encode("utf-8", "surrogateescape") + b"\n")
        return found.hexdigest()

    def write(self, writer: LayerWriter, base: ImagePath | None, latest: int) -> None:
        """Write the layer of the copied files over *base*; times are *latest* at most.

        Raises Malformed, and Changed (with the path) for a file that changed meanwhile.
        """
        order = self.order
        owner = None
        if order.owner:
            if base is None and not _is_numeric(order.owner):
                raise Malformed("--chown with a name needs an image that knows the name")
            owner = owner_of(order.owner, base) if base is not None else _numeric(order.owner)
        places = Places(base, writer, latest, owner or ROOT)
        target = places.resolved(order.destination)
        is_folder = self._is_many or order.destination.endswith("/") or places.is_folder(target)
        for chosen in self.chosen:
            if chosen.unpacks and is_archive(chosen.tree, chosen.item):
                dress = Dress(latest, owner, order.mode)
                unpack_into(places, target, chosen.tree, chosen.item, dress)
                continue
            path = self._path(chosen, target, places, is_folder=is_folder)
            self._put(places, chosen, self._entry(chosen, path, owner, latest))

    def _path(self, chosen: Chosen, target: str, places: Places, *, is_folder: bool) -> str:
        """Return where a file goes in the base, the links on the way followed."""
        if not chosen.path:
            is_inside = is_folder and chosen.item.kind is not Kind.DIRECTORY
            return f"{target}/{chosen.name}".lstrip("/") if is_inside else target
        path = f"{target}/{chosen.path}".lstrip("/")
        if chosen.item.kind is Kind.DIRECTORY:
            return places.resolved(path)
        above, _, name = path.rpartition("/")
        return f"{places.resolved(above)}/{name}".lstrip("/")

    def _put(self, places: Places, chosen: Chosen, entry: Entry) -> None:
        item, path = chosen.item, entry.name.decode("utf-8", "surrogateescape")
        if item.kind is Kind.DIRECTORY:
            if places.is_folder(path):
                places.folder(path)
            else:
                places.entry(entry)
            return
        places.folder(posixpath.dirname(path))
        if item.kind is not Kind.FILE:
            places.writer.add(entry)
            return
        try:
            with opened(chosen.tree, item) as stream:
                descriptor = _plain(stream)
                if descriptor is not None:
                    places.writer.add_file(entry, descriptor)
                else:
                    places.writer.add_stream(entry, stream)
        except (Changed, OSError) as error:
            raise Changed(item.path, str(error)) from error

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
            xattrs=dict(item.xattrs or {}),
        )


def whole_file(order: Order, tree: Tree, name: str) -> Copying:
    """Return the copying of the one file of *tree*, called *name*."""
    chosen = [Chosen(tree, item, "", name, order.unpacks) for item in tree.below("")]
    return Copying(order, chosen, 1)


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
    if not _WILD.search(plain):
        item = tree.find(plain)
        if item is None:
            raise Malformed(f'"/{plain}": not found')
        yield _Match(item, plain, plain[len(base) :].lstrip("/"))
        return
    for path in _expanded(plain.split("/"), tree):
        item = tree.find(path)
        if item is not None:
            yield _Match(item, path, path[len(base) :].lstrip("/"))


def _expanded(parts: list[str], tree: Tree, above: str = "") -> Iterator[str]:
    """Yield the paths that a pattern matches, name by name, in order."""
    first, rest = parts[0], parts[1:]
    here = f"{above}/{first}" if above else first
    if not _WILD.search(first):
        if not rest:
            yield from [here] * (tree.find(here) is not None)
        else:
            yield from _expanded(rest, tree, here)
        return
    matches = compile_glob(first).fullmatch
    folder = tree.find(above)
    if folder is None or folder.kind is not Kind.DIRECTORY:
        return
    depth = len(folder.path.split("/")) if folder.path else 0
    for item in tree.below(folder.path):
        names = item.path.split("/")
        if len(names) != depth + 1 or not matches(names[-1]):
            continue
        path = f"{above}/{names[-1]}" if above else names[-1]
        if rest:
            yield from _expanded(rest, tree, path)
        else:
            yield path


def _with_content(match: _Match, tree: Tree, rules: IgnoreRules, order: Order) -> Iterator[Chosen]:
    """Yield a file, or a folder's content: without *order*'s parents not the folder itself."""
    item = match.item
    name = posixpath.basename(match.path)
    if item.kind is not Kind.DIRECTORY:
        if not rules.excludes(name):
            path = match.kept if order.keeps_parents else ""
            yield Chosen(tree, item, path, name, order.unpacks)
        return
    prefix = match.kept if order.keeps_parents else ""
    if order.keeps_parents:
        yield from _parents(tree, match)
    else:
        yield Chosen(tree, item, "", name)
    cut = len(item.path) + 1 if item.path else 0
    for inner in tree.below(item.path):
        path = inner.path[cut:]
        if not rules.excludes(path):
            yield Chosen(tree, inner, f"{prefix}/{path}" if prefix else path, "")


def _parents(tree: Tree, match: _Match) -> Iterator[Chosen]:
    """Yield the folders that ``--parents`` keeps."""
    names = match.kept.split("/")
    base = match.path[: len(match.path) - len(match.kept)]
    for count in range(1, len(names) + 1):
        path = "/".join(names[:count])
        item = tree.find(base + path) if path else None
        if item is not None:
            yield Chosen(tree, item, path, "")


def _plain(stream: BinaryIO) -> int | None:
    """Return the descriptor of a file of this machine, for the kernel to copy from."""
    return stream.fileno() if type(stream) is io.FileIO else None


def _is_numeric(owner: str) -> bool:
    return all(part.isdigit() for part in owner.split(":") if part)


def _numeric(owner: str) -> Owner:
    user, _, group = owner.partition(":")
    return Owner(int(user), int(group or user))
