"""The file system that layers make together, as names in memory: applied in order, links inside.

What a layer takes away is taken from the layers below it only, before the layer's own members
are put in (OCI image-spec, layer.md). Members are placed as an unpacker would that cannot
leave the root: through links, with a budget; what is in the way gives way (rows T02 to T07,
T12). Nothing here recurses, and nothing costs more than the layers' names are long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.errors import LimitExceeded
from pytest_images.layer.contents import AUFS, OPAQUE
from pytest_images.layer.member import Kind
from pytest_images.layer.paths import WHITEOUT
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_images.layer.contents import Contents

LINK_BUDGET = 40  # links followed for one path, as in Linux
ENTRY_LIMIT = 4_000_000  # entries of the tree, those included that no layer lists
STEP_LIMIT = 10_000_000  # parts of link targets walked while the layers are put together
_NOWHERE = -1  # the place of a directory that no layer lists
_KNOWN_LIMIT = 4096
_SHIFT = 32
_INDEX = (1 << _SHIFT) - 1


class Directory:
    """One directory: what is in it, and where its own facts are."""

    __slots__ = ("children", "place")

    def __init__(self, place: int = _NOWHERE) -> None:
        self.children: dict[bytes, Directory | int] = {}
        self.place = place

    def copied(self) -> Directory:
        """Return another one that has the same in it, directories of its own."""
        top = Directory(self.place)
        pending = [(self, top)]
        while pending:
            directory, copy = pending.pop()
            copy.children = directory.children.copy()
            for name, child in directory.children.items():
                if isinstance(child, Directory):
                    inner = copy.children[name] = Directory(child.place)
                    pending.append((child, inner))
        return top


Node = Directory | int  # anything else is the number of its layer and its place there
Parts = tuple[bytes, ...]


class Entry(NamedTuple):
    """Where the facts of something are: its layer's number and its place in that layer."""

    layer: int
    place: int


class Lost(Exception):
    """A path does not lead anywhere: how far it came, and what stopped it."""

    def __init__(self, nearest: Parts, reason: str) -> None:
        super().__init__(nearest, reason)
        self.nearest, self.reason = nearest, reason


MISSING, NOT_A_DIRECTORY, LOOP = "missing", "not a directory", "loop"


class Tree:
    """The names of an image, or of one layer. Read-only once made; raises LimitExceeded.

    *below* is the tree of the first of *layers*, which need not be put together again then.
    """

    def __init__(self, layers: Sequence[Contents], source: str, below: Tree | None = None) -> None:
        self.layers, self._source = layers, source
        self.root: Directory = Directory() if below is None else below.root.copied()
        self._count: int = 0 if below is None else below._count
        self._steps: int = 0 if below is None else below._steps
        # Directories by the names that members give them; forgotten when something gives way,
        # for it may have been one of them, or a link that led there.
        self._known: dict[bytes, Directory] = {}
        self._is_made = False
        for number in range(len(below.layers) if below else 0, len(layers)):
            self._take_away(layers[number].whiteouts)
            self._put_in(number)
            if layers[number].has_aufs:
                for name in [each for each in self.root.children if each.startswith(AUFS)]:
                    del self.root.children[name]
        self._known.clear()
        self._is_made = True

    # Asked.

    def kind(self, node: Node) -> Kind:
        """Return what *node* is."""
        if isinstance(node, Directory):
            return Kind.DIRECTORY
        return self.layers[node >> _SHIFT].kind(node & _INDEX)

    def entry(self, node: Node) -> Entry | None:
        """Return where the facts of *node* are, None for a directory that no layer lists."""
        place = node.place if isinstance(node, Directory) else node
        return None if place == _NOWHERE else Entry(place >> _SHIFT, place & _INDEX)

    def link(self, node: int) -> bytes:
        """Return the target of a link."""
        return self.layers[node >> _SHIFT].links.get(node & _INDEX, b"")

    def find(self, parts: Iterable[bytes], *, follow: bool = True) -> tuple[Parts, Node]:
        """Return where *parts* lead, and what is there; a last link only with *follow*.

        ``..`` goes up from where a link led, and never out of the root. Raises Lost.
        """
        pending = list(parts)[::-1]
        names: list[bytes] = []
        trail = [self.root]
        budget = LINK_BUDGET
        while pending:
            part = pending.pop()
            if part == b"..":
                if names:
                    names.pop()
                    trail.pop()
                continue
            child = trail[-1].children.get(part)
            if child is None:
                raise Lost(tuple(names), MISSING)
            if isinstance(child, Directory):
                names.append(part)
                trail.append(child)
            elif (pending or follow) and self.kind(child) is Kind.SYMLINK:
                budget -= 1
                if budget < 0:
                    raise Lost(tuple(names), LOOP)
                target = self.link(child)
                inner = parts_of(target)
                self._stepped(len(inner))
                if target.startswith(b"/"):
                    names, trail = [], [self.root]
                pending += inner[::-1]
            elif pending:
                raise Lost((*names, part), NOT_A_DIRECTORY)
            else:
                return (*names, part), child
        return tuple(names), trail[-1]

    def below(self, parts: Parts, top: Directory) -> Iterator[tuple[Parts, Directory]]:
        """Give *top* and every directory below it, a directory before what is in it, by name."""
        pending = [(parts, top)]
        while pending:
            names, directory = pending.pop()
            yield names, directory
            inner = [
                (name, child)
                for name, child in directory.children.items()
                if isinstance(child, Directory)
            ]
            inner.sort(key=lambda pair: pair[0], reverse=True)
            pending += [((*names, name), child) for name, child in inner]

    # Made.

    def _take_away(self, whiteouts: Iterable[bytes]) -> None:
        for name in whiteouts:
            folder, _, base = name.rpartition(b"/")
            try:
                _, directory = self.find(parts_of(folder))
            except Lost:
                continue
            if not isinstance(directory, Directory):
                continue
            if base == OPAQUE:
                directory.children.clear()
            else:
                directory.children.pop(base[len(WHITEOUT) :], None)

    def _put_in(self, number: int) -> None:
        contents = self.layers[number]
        known = self._known
        known.clear()
        for index, name in contents:
            if not name:
                self.root.place = number << _SHIFT | index
                continue
            folder, _, base = name.rpartition(b"/")
            if base.startswith(WHITEOUT):
                continue
            directory = known.get(folder)
            if directory is None:
                directory = self._directory(folder)
                if len(known) == _KNOWN_LIMIT:
                    known.clear()
                known[folder] = directory
            before = directory.children.get(base)
            node = self._node(number, index, before)
            directory.children[base] = node
            if before is None:
                self._counted()
            elif node is not before:
                known.clear()

    def _node(self, number: int, index: int, before: Node | None) -> Node:
        """Return what a member becomes where *before* is now; a directory keeps what is in it."""
        contents, place = self.layers[number], number << _SHIFT | index
        kind = contents.kind(index)
        if kind is Kind.DIRECTORY:
            if isinstance(before, Directory):
                before.place = place
                return before
            return Directory(place)
        if kind is Kind.HARDLINK:
            return self._linked(contents.links.get(index, b""), place)
        return place

    def _linked(self, target: bytes, place: int) -> int:
        """Return what a hard link shares; one to nothing, or to a directory, stays a link."""
        *folder, base = parts_of(target) or [b""]
        try:
            _, found = self.find([*folder, base], follow=False)
        except Lost:
            return place
        return place if isinstance(found, Directory) else found

    def _directory(self, folder: bytes) -> Directory:
        """Return the directory at *folder*, made where there is none, links followed inside."""
        pending = parts_of(folder)[::-1]
        trail = [self.root]
        budget = LINK_BUDGET
        while pending:
            part = pending.pop()
            if part == b"..":
                if len(trail) > 1:
                    trail.pop()
                continue
            child = trail[-1].children.get(part)
            if not isinstance(child, Directory):
                is_link = child is not None and self.kind(child) is Kind.SYMLINK
                if child is not None and is_link and budget > 0:
                    budget -= 1
                    target = self.link(child)
                    inner = parts_of(target)
                    self._stepped(len(inner))
                    if target.startswith(b"/"):
                        trail = [self.root]
                    pending += inner[::-1]
                    continue
                if child is not None:
                    self._known.clear()
                child = trail[-1].children[part] = Directory()
                self._counted()
            trail.append(child)
        return trail[-1]

    def _counted(self) -> None:
        self._count += 1
        if self._count > ENTRY_LIMIT:
            raise LimitExceeded(self._source, "number of files and directories", ENTRY_LIMIT)

    def _stepped(self, count: int) -> None:
        if self._is_made:  # whoever asks then has a budget for each path
            return
        self._steps += count
        if self._steps > STEP_LIMIT:
            raise LimitExceeded(self._source, "number of steps through links", STEP_LIMIT)


def parts_of(path: bytes) -> list[bytes]:
    """Split a path into the names to walk through."""
    return [part for part in path.split(b"/") if part not in (b"", b".")]
