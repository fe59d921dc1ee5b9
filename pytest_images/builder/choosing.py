"""COPY: which files its sources name, as a copying of them (reference, "COPY")."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pytest_images.builder.copying import Below, Chosen, Copying, Order
from pytest_images.builder.folder import FolderTree
from pytest_images.builder.siblings import grouped
from pytest_images.builder.trees import MemoryTree
from pytest_images.dockerfile.globs import compile_glob
from pytest_images.dockerfile.ignore import IgnoreRules
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.layer.member import Kind
from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Sequence

    from pytest_images.builder.siblings import Item
    from pytest_images.builder.trees import Tree

    _Matches = Callable[[str], re.Match[str] | None]

_WILD = regex(r"[*?\[]")
_NO_RULES = IgnoreRules()
_PIVOT = "/./"  # with --parents: the path from here on is kept


def whole_file(order: Order, tree: Tree, name: str) -> Copying:
    """Return the copying of the one file of *tree*, called *name*."""
    return Copying(
        order, [Chosen(tree, item, "", name, order.unpacks) for item in tree.below("")], 1
    )


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
    chosen: list[Chosen | Below] = []
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
    yield from _matched(folder.path, above, matches, tree)


def _matched(folder: str, shown: str, matches: Sequence[_Matches], tree: Tree) -> Iterator[str]:
    """Yield the paths in *folder*, called *shown*, whose names match one after the other."""
    first, *rest = matches
    for item in tree.inside(folder):
        name = posixpath.basename(item.path)
        if first(name):
            path = f"{shown}/{name}" if shown else name
            if not rest:
                yield path
            elif item.kind is Kind.DIRECTORY:
                yield from _matched(item.path, path, rest, tree)


def _with_content(
    match: _Match, tree: Tree, rules: IgnoreRules, order: Order
) -> Iterator[Chosen | Below]:
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
    if isinstance(tree, FolderTree) and not rules.patterns:
        groups = tree.siblings(item.path)
    else:
        found = tree.below(item.path)
        groups = grouped(each for each in found if not rules.excludes(each.path[cut:]))
    yield Below(tree, list(groups), cut, prefix)


def _parents(tree: Tree, match: _Match, kept: str) -> Iterator[Chosen]:
    """Yield the folders *kept*, which ``--parents`` keeps."""
    base = match.path[: len(match.path) - len(match.kept)]
    names = kept.split("/") if kept else []
    for count in range(1, len(names) + 1):
        path = "/".join(names[:count])
        item = tree.find(base + path)
        if item is not None:
            yield Chosen(tree, item, path, "")
