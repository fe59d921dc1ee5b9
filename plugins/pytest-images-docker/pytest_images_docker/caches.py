"""What a cache became in its volume, as a layer over the folder that it is kept in."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pytest_images.layer.member import Kind
from pytest_images.layer.paths import WHITEOUT, inside
from pytest_images.layer.tar import members
from pytest_images.layer.writer import Entry, LayerWriter
from pytest_images_docker.changes import MARK, Hashed, Layer, entry_of, is_below, join

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from pytest_images.layer.blocks import Readable
    from pytest_images.layer.member import Member
    from pytest_images_docker.rootfs import Parts


class Cache:
    """The folder of one cache, as it is when this is made.

    *covered* are mounts in it, which are no part of it.
    """

    def __init__(self, folder: Path, covered: Collection[Parts]) -> None:
        self.folder, self._covered = folder, covered
        self._before = set(_below(os.fsencode(folder)))

    def take_back(self, archive: Readable, path: Path) -> Layer:
        """Write what *archive* (its first name left off) has otherwise as a layer into *path*.

        What looks the same is not written again; what others put into the folder meanwhile
        stays. Raises InvalidLayer, OSError.
        """
        gone = set(self._before)
        with path.open("xb", buffering=0) as out:
            hashed = Hashed(out)
            writer = LayerWriter(hashed)
            for member in members(archive, "what a cache became"):
                parts = inside(member.name)[1:]
                gone.discard(parts)
                if (
                    parts
                    and not parts[-1].startswith(WHITEOUT)
                    and not self._is_same(parts, member)
                ):
                    self._put(parts, member, writer)
            for parts in sorted(gone):
                if parts[:-1] not in gone and not is_below(parts, self._covered):
                    writer.add(Entry(join((*parts[:-1], WHITEOUT + parts[-1])), *MARK))
            writer.finish()
        return Layer(path, hashed.digest, writer.is_empty)

    def _put(self, parts: Parts, member: Member, writer: LayerWriter) -> None:
        link = member.linkname
        if member.kind is Kind.HARDLINK:
            link = join(inside(link)[1:])
        entry = entry_of(parts, member, link)
        if member.kind is Kind.FILE:
            writer.add_stream(entry, member)
        else:
            writer.add(entry)

    def _is_same(self, parts: Parts, member: Member) -> bool:
        """Say whether a file or folder looks as it does here; mounts are none of a cache's."""
        if is_below(parts, self._covered):
            return True
        path = os.fsencode(self.folder) + b"/" + join(parts)
        try:
            info = os.lstat(path)
        except OSError:
            return False
        if member.kind is Kind.SYMLINK:
            return stat.S_ISLNK(info.st_mode) and os.readlink(path) == member.linkname
        facts = stat.S_IMODE(info.st_mode), int(info.st_mtime)
        if facts != (member.mode, int(member.mtime)):
            return False
        if member.kind is Kind.DIRECTORY:
            return stat.S_ISDIR(info.st_mode)
        return (
            member.kind is Kind.FILE
            and stat.S_ISREG(info.st_mode)
            and info.st_size == member.size
            and info.st_nlink == 1
        )


def _below(folder: bytes) -> Iterator[Parts]:
    """Yield what is below *folder*; what may not be listed is left out."""
    cut = len(folder) + 1
    for above, folders, files in os.walk(folder):
        parts = tuple(above[cut:].split(b"/")) if above != folder else ()
        for name in (*folders, *files):
            yield (*parts, name)
