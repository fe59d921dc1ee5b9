"""COPY: which files, to which places, as a layer; and a key of all that it copies.

Two halves. `Copying.digest` says what was chosen (see `choosing`): that is the key, and needs no
base image. `Copying.write` puts them where they go in a base (see `copied`).
"""

from __future__ import annotations

import hashlib
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from pytest_images.layer.member import Kind

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
LARGE = 8 << 20  # bytes of a file that is not read twice where once will do
_SIZE = itemgetter(0)  # of a stamp


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

    def large(self) -> Iterator[Item]:
        """Yield the large files, and perhaps others."""
        for group in self.groups:
            if not group.stamps or max(map(_SIZE, group.stamps)) >= LARGE:
                yield from group.items()

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
        found = hashlib.sha256()
        for part in self.parts:
            if isinstance(part, Below):
                found.update(_line(part.prefix, part.digest(known)))
            else:
                where = (part.path, part.name, part.unpacks)
                found.update(_line(*where, *_facts(part.tree, part.item, known)))
        return found.hexdigest()

    def outline(self) -> str:
        """Return the digest of all of it but contents: names, modes, sizes, and the order."""
        found = hashlib.sha256(_line(self.order))
        for chosen in self.chosen:
            item = chosen.item
            found.update(_line(chosen.path, chosen.name, item.kind.value, item.mode, item.size))
        return found.hexdigest()

    def large(self, known: Fingerprints) -> Iterator[Item]:
        """Yield the large files that are to be read before their content is known."""
        for part in () if self.order.unpacks else self.parts:
            items = part.large() if isinstance(part, Below) else (part.item,)
            for item in items:
                if item.size >= LARGE and item.kind is Kind.FILE and not known.has(part.tree, item):
                    yield item

    def write(
        self,
        writer: LayerWriter,
        base: ImagePath | None,
        latest: int,
        learn: Fingerprints | None = None,
    ) -> None:
        """Write the layer of the copied files over *base*; times are *latest* at most.

        *learn* hears what was in each file. Raises Malformed, and Changed (with the path) for
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
