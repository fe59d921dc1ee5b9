"""COPY: which files, to which places, as a layer; and a key of all that it copies.

Two halves. `Copying.digest` says what was chosen (see `choosing`): that is the key, and needs no
base image. `Copying.write` puts them where they go in a base (see `copied`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_images.builder.folder import SMALL
from pytest_images.layer.member import Kind
from pytest_images.model.digest import sha256
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_images.builder.fingerprints import Fingerprints
    from pytest_images.builder.siblings import Item, Siblings
    from pytest_images.builder.trees import Tree
    from pytest_images.dockerfile.heredoc import Heredoc
    from pytest_images.layer.files import ImagePath
    from pytest_images.layer.writer import LayerWriter

MANY = (
    "when using COPY with more than one source file, the destination must be a directory and "
    "end with a /"
)
LARGE = 1 << 20  # bytes that are not read twice where once will do
_EACH = 8 << 10  # bytes that are read in the time that a file takes beside them


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

    def unread(self, known: Fingerprints) -> int:
        """Return how many bytes are to be read before the content is known.

        A file counts as some more: opening it takes time too.
        """
        return _unread(self.tree, self.item, known)

    def places(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield folders below the destination, with names that come into them."""
        folder, _, name = (self.path or self.name).rpartition("/")
        if name:
            yield folder, (name,)


class Below(NamedTuple):
    """All that is in one folder of a tree, to copy below *prefix*; *cut*: its path's length."""

    tree: Tree
    groups: Sequence[Siblings]
    cut: int
    prefix: str

    def chosen(self) -> Iterator[Chosen]:
        """Return the files one by one."""
        for group in self.groups:
            yield from map(self.choose, group.items())

    def choose(self, item: Item) -> Chosen:
        """Return one of the files as one to copy."""
        path = item.path[self.cut :]
        return Chosen(self.tree, item, f"{self.prefix}/{path}" if self.prefix else path, "")

    def places(self) -> Iterator[tuple[str, Sequence[str]]]:
        """As that of `Chosen`."""
        for group in self.groups:
            yield "/".join(filter(None, (self.prefix, group.folder[self.cut :]))), group.names

    def unread(self, known: Fingerprints) -> int:
        """As that of `Chosen`."""
        return sum(self._unread(group, known) for group in self.groups)

    def _unread(self, group: Siblings, known: Fingerprints) -> int:
        if known.has_group(self.tree, group):
            return 0
        sizes = group.sizes
        if group.seen and max(sizes, default=0) <= SMALL:
            return sum(sizes) + len(sizes) * _EACH
        return sum(_unread(self.tree, item, known) for item in group.items())

    def digest(self, known: Fingerprints) -> str:
        """Return the digest of paths, modes, owners and contents."""
        found = sha256()
        for group in self.groups:
            content = partial(self._content, group, known)
            digest = known.of_group(self.tree, group, content)
            found.update(_line(group.folder[self.cut :], digest))
        return found.hexdigest()

    def _content(self, group: Siblings, known: Fingerprints) -> str:
        return digest_of(self.tree, group, list(known.of_files(self.tree, group)))

    def outline(self) -> str:
        """As that of `Copying`."""
        found = sha256()
        for group in self.groups:
            found.update(_line(group.folder[self.cut :], group.shape, group.sizes))
        return found.hexdigest()


class Copying:
    """The files of one COPY."""

    def __init__(self, order: Order, parts: Sequence[Chosen | Below], count: int) -> None:
        self.order, self.parts = order, parts
        self.is_many = count > 1  # sources: so the destination is a folder

    def joined(self, other: Copying) -> Copying:
        """Return the copying of these files and those of *other*, by this order."""
        return Copying(self.order, [*self.parts, *other.parts], 2 if self.is_many else 1)

    @property
    def chosen(self) -> Iterator[Chosen]:
        """The files one by one."""
        for part in self.parts:
            if isinstance(part, Below):
                yield from part.chosen()
            else:
                yield part

    def digest(self, known: Fingerprints) -> str:
        """Return the digest of names, modes, owners and contents; times do not count."""
        found = sha256()
        for part in self.parts:
            if isinstance(part, Below):
                found.update(_line(part.prefix, part.digest(known)))
            else:
                where = (part.path, part.name, part.unpacks)
                found.update(_line(*where, *_facts(part.tree, part.item, known)))
        return found.hexdigest()

    def outline(self) -> str:
        """Return the digest of all of it but contents: names, modes, sizes, and the order."""
        found = sha256(_line(self.order))
        for part in self.parts:
            if isinstance(part, Below):
                found.update(_line(part.prefix, part.outline()))
            else:
                item = part.item
                found.update(_line(part.path, part.name, item.kind.value, item.mode, item.size))
        return found.hexdigest()

    def is_large(self, known: Fingerprints) -> bool:
        """Say whether so much is to be read before the content is known that once is better."""
        if self.order.unpacks:  # whether it is an archive is found by reading
            return False
        return sum(part.unread(known) for part in self.parts) >= LARGE

    def write(
        self,
        writer: LayerWriter,
        base: ImagePath | None,
        latest: int,
        learn: Fingerprints | None = None,
    ) -> None:
        """Write the layer of the copied files over *base*; times are *latest* at most.

        *learn* hears what was in the files. Raises Malformed, and Changed (with the path) for
        a file that changed meanwhile.
        """
        from pytest_images.builder.copied import write

        write(self, writer, base, latest, learn)


def _line(*words: object) -> bytes:
    return repr(words).encode("utf-8", "surrogateescape") + b"\n"


def _facts(tree: Tree, item: Item, known: Fingerprints) -> tuple[object, ...]:
    content = known.of(tree, item) if item.kind is Kind.FILE else item.target
    owner = (item.uid, item.gid) if tree.has_owners else ()
    xattrs = sorted(item.xattrs.items()) if item.xattrs else []
    return item.kind.value, item.mode, owner, content, xattrs


def digest_of(tree: Tree, group: Siblings, contents: Sequence[str]) -> str:
    """Return the digest of a group whose files have these digests."""
    owners = group.owners if tree.has_owners else []
    return sha256(_line(group.shape, owners, contents)).hexdigest()


def _unread(tree: Tree, item: Item, known: Fingerprints) -> int:
    is_in_memory = not (item.stamp or item.content)
    if item.kind is not Kind.FILE or is_in_memory or known.has(tree, item):
        return 0
    return item.size + _EACH
