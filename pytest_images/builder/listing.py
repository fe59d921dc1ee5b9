"""What one open folder of this machine holds, without what is left out: names, stamps, links."""

from __future__ import annotations

import os
import stat
from operator import attrgetter
from typing import TYPE_CHECKING

from pytest_images.builder.siblings import COUNT, KINDS, TYPE, Siblings
from pytest_images.layer.changed import Changed
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_images.builder.siblings import Item, Stamp
    from pytest_images.dockerfile.ignore import Folder

_NAME = attrgetter("name")
stamp_of = attrgetter("st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_dev", "st_mode")


class Listing(NamedTuple):
    """The files of one folder; *out* are folders that are left out, but perhaps not all in them.

    Each of these is the only one of its group.
    """

    groups: Iterator[Siblings]
    rules: Folder
    out: frozenset[str]


def listed(descriptor: int, path: str, rules: Folder) -> Listing:
    """List the folder *path*, open as *descriptor*. Raises FileNotFoundError: a file has gone."""
    with os.scandir(descriptor) as entries:
        found = sorted(entries, key=_NAME)
    out: frozenset[str] = frozenset()
    if rules.rules.patterns:
        found, out = _kept(found, rules)
    names = [entry.name for entry in found]
    stamps = [stamp_of(entry.stat(follow_symlinks=False)) for entry in found]
    special = _special(stamps)
    lost = [at for at in special if stat.S_IFMT(stamps[at][-1]) not in KINDS]  # sockets
    if out:
        lost += [at for at, name in enumerate(names) if name in out and not _is_folder(stamps[at])]
    if lost:
        names = [name for at, name in enumerate(names) if at not in lost]
        stamps = [stamp for at, stamp in enumerate(stamps) if at not in lost]
        special = _special(stamps)
    links = [names[at] for at in special if stat.S_ISLNK(stamps[at][-1])]
    targets = {name: _target(name, descriptor) for name in links}
    folders = [at for at in special if _is_folder(stamps[at])]
    ends = [end for at in folders for end in ((at, at + 1) if names[at] in out else (at + 1,))]
    whole = Siblings(path, names, stamps, targets)
    return Listing(_cut(whole, (*ends, len(names))), rules, out)


def _kept(
    found: Iterable[os.DirEntry[str]], rules: Folder
) -> tuple[list[os.DirEntry[str]], frozenset[str]]:
    """Return what is not left out, and folders that may hold such files; their names too."""
    kept, out = [], []
    for entry in found:
        if rules.excludes(entry.name):
            if not entry.is_dir(follow_symlinks=False) or rules.can_skip(entry.name):
                continue
            out.append(entry.name)
        kept.append(entry)
    return kept, frozenset(out)


def _special(stamps: Sequence[Stamp]) -> list[int]:
    """Return the places of all that is no plain file."""
    return [at for at, stamp in enumerate(stamps) if stamp[-1] & TYPE != stat.S_IFREG]


def _is_folder(stamp: Stamp) -> bool:
    return stat.S_ISDIR(stamp[-1])


def looked_at(descriptor: int, path: str, name: str) -> Item | None:
    """Return the file *name* of the open folder *path*; None for what no layer holds: a socket.

    Raises FileNotFoundError.
    """
    stamp = stamp_of(os.stat(name, dir_fd=descriptor, follow_symlinks=False))
    if stat.S_IFMT(stamp[-1]) not in KINDS:
        return None
    targets = {name: _target(name, descriptor)} if stat.S_ISLNK(stamp[-1]) else {}
    return next(iter(Siblings(path, [name], [stamp], targets).items()))


def _target(name: str, folder: int) -> str:
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError as error:  # it was a link a moment ago
        raise Changed(name) from error


def _cut(whole: Siblings, ends: Iterable[int]) -> Iterator[Siblings]:
    begin = 0
    for end in ends:
        while begin < end:
            part = slice(begin, min(end, begin + COUNT))
            yield Siblings(whole.folder, whole.names[part], whole.stamps[part], whole.targets)
            begin = part.stop
