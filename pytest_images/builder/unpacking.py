"""ADD of an archive: its members, where they go in the image, owners and all."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pytest_images.builder.modes import Owner
from pytest_images.builder.trees import opened
from pytest_images.errors import InvalidLayer, LimitExceeded
from pytest_images.layer import paths
from pytest_images.layer.compression import ARCHIVES, Rewound, decompress
from pytest_images.layer.header import BLOCK, Malformed, verify
from pytest_images.layer.member import XATTR, Kind, readable
from pytest_images.layer.tar import members
from pytest_images.layer.writer import Entry
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from pytest_images.builder.placing import Places
    from pytest_images.builder.siblings import Item
    from pytest_images.builder.trees import Tree
    from pytest_images.layer.member import Member

_CHECKSUM = slice(148, 156)


def is_archive(tree: Tree, item: Item) -> bool:
    """Say whether a file is a tar, compressed or not: by its content, as Docker does."""
    if item.kind is not Kind.FILE or item.size == 0:
        return False
    try:
        with opened(tree, item) as stream:
            start = Rewound(decompress(stream, item.path, allowed=ARCHIVES)).peek(BLOCK)
        if len(start) < BLOCK or not any(start):
            return False
        verify(start, start[_CHECKSUM])
    except (InvalidLayer, LimitExceeded, Malformed):
        return False
    return True


class Dress(NamedTuple):
    """What members get that the archive does not decide; *latest* in seconds since 1970."""

    latest: int
    owner: Owner | None = None


def unpack_into(places: Places, target: str, tree: Tree, item: Item, dress: Dress) -> None:
    """Write the members of an archive below *target*. Raises InvalidLayer, LimitExceeded."""
    places.folder(target)
    with opened(tree, item) as stream:
        inflated = decompress(stream, item.path, allowed=ARCHIVES)
        for member in members(inflated, item.path):
            try:
                parts = paths.inside(member.name)
            except Malformed as problem:
                raise InvalidLayer(item.path, f"{problem} ({member.text})") from problem
            if parts:
                path = f"{target}/{readable(b'/'.join(parts))}".lstrip("/")
                _put(places, target, path, member, dress)


def _put(places: Places, target: str, path: str, member: Member, dress: Dress) -> None:
    above = places.resolved(posixpath.dirname(path))
    path = f"{above}/{posixpath.basename(path)}".lstrip("/")
    entry = Entry(
        path.encode("utf-8", "surrogateescape"),
        member.kind,
        member.mode,
        *(dress.owner or Owner(member.uid, member.gid)),
        min(int(member.mtime), dress.latest),
        member.size,
        _link(places, target, member),
        member.device,
        {
            key[len(XATTR) :].decode("utf-8", "surrogateescape"): value
            for key, value in member.records.items()
            if key.startswith(XATTR)
        },
    )
    if member.kind is Kind.DIRECTORY:
        places.entry(entry, replaces=True)
        return
    places.folder(posixpath.dirname(path))
    if member.kind is Kind.FILE:
        places.writer.add_stream(entry, member)
    else:
        places.writer.add(entry)


def _link(places: Places, target: str, member: Member) -> bytes:
    """Return where a link leads: a hard link inside of the archive, hence below the target."""
    if member.kind is not Kind.HARDLINK:
        return member.linkname
    inside = readable(b"/".join(paths.inside(member.linkname)))
    path = f"{target}/{inside}".lstrip("/")
    above = places.resolved(posixpath.dirname(path))
    return f"{above}/{posixpath.basename(path)}".lstrip("/").encode("utf-8", "surrogateescape")
