"""ADD of an archive: its members, where they go in the image, owners and all."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from pytest_images.builder.modes import Owner, changed_mode
from pytest_images.builder.trees import opened
from pytest_images.errors import InvalidLayer, LimitExceeded
from pytest_images.layer import paths
from pytest_images.layer.compression import ARCHIVES, decompress
from pytest_images.layer.header import BLOCK, Malformed
from pytest_images.layer.member import Kind, readable
from pytest_images.layer.tar import members
from pytest_images.layer.writer import Entry

if TYPE_CHECKING:
    from pytest_images.builder.placing import Places
    from pytest_images.builder.trees import Item, Tree
    from pytest_images.layer.member import Member

_MAGIC = slice(257, 262)
_XATTR = b"SCHILY.xattr."


def is_archive(tree: Tree, item: Item) -> bool:
    """Say whether a file is a tar, compressed or not: by its content, as Docker does."""
    if item.kind is not Kind.FILE or item.size == 0:
        return False
    try:
        with opened(tree, item) as stream:
            start = decompress(stream, item.path, allowed=ARCHIVES).read(BLOCK)
    except (InvalidLayer, LimitExceeded):
        return False
    return start[_MAGIC] == b"ustar"


class Dress(NamedTuple):
    """What members get that the archive does not decide; *latest* in seconds since 1970."""

    latest: int
    owner: Owner | None = None
    mode: str = ""


def unpack_into(places: Places, target: str, tree: Tree, item: Item, dress: Dress) -> None:
    """Write the members of an archive below *target*. Raises InvalidLayer, LimitExceeded."""
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
    is_folder = member.kind is Kind.DIRECTORY
    above = places.resolved(posixpath.dirname(path))
    path = places.resolved(path) if is_folder else f"{above}/{posixpath.basename(path)}"
    path = path.lstrip("/")
    entry = Entry(
        path.encode("utf-8", "surrogateescape"),
        member.kind,
        changed_mode(dress.mode, member.mode, is_folder=is_folder) if dress.mode else member.mode,
        *(dress.owner or Owner(member.uid, member.gid)),
        min(int(member.mtime), dress.latest),
        member.size,
        _link(places, target, member),
        member.device,
        {
            key[len(_XATTR) :].decode("utf-8", "surrogateescape"): value
            for key, value in member.records.items()
            if key.startswith(_XATTR)
        },
    )
    if is_folder:
        places.entry(entry)
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
