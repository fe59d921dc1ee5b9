"""What a command changed in a container, as a layer: the daemon's list and its export, together.

The list says which paths, the export has them as they are now, hard links among them. Folders
that only look changed, because a mount or a secret was put below them, are left out.
"""

from __future__ import annotations

import hashlib
import re
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_images import SandboxError
from pytest_images.builder.unpack import OPAQUE
from pytest_images.layer.member import Kind
from pytest_images.layer.paths import WHITEOUT, inside
from pytest_images.layer.tar import members
from pytest_images.layer.writer import Entry, LayerWriter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from io import FileIO
    from pathlib import Path

    from pytest_images.layer.blocks import Readable
    from pytest_images.layer.member import Member
    from pytest_images_docker.rootfs import Merged, Parts

_XATTR = b"SCHILY.xattr."
_DELETED = 2  # the kind of a change: 0 is modified, 1 is added
MARK = (Kind.FILE, 0o600)
_UNREADABLE = re.compile("[\udc80-\udcff]")


class Layer(NamedTuple):
    """A layer that lies in a file."""

    path: Path
    diff_id: str
    is_empty: bool


class Changes:
    """The changes of one container, as its daemon *listed* them.

    *before* is what there was, *covered* are the places of mounts, and *times* those of
    folders that the engine itself changed before the command did.
    """

    def __init__(
        self,
        listed: Sequence[dict[str, Any]],
        before: Merged,
        covered: Iterable[Parts],
        times: Mapping[Parts, int],
    ) -> None:
        self._before, self._covered, self._times = before, set(covered), times
        # The places that were made for mounts only: they stay when something else is in them.
        self._made = {
            each[:count]
            for each in self._covered
            for count in range(1, len(each) + 1)
            if before.find(each[:count]) is None
        }
        self._changed: set[str] = set()
        self._deleted: set[str] = set()
        for change in listed:
            wanted = self._deleted if change["Kind"] == _DELETED else self._changed
            wanted.add(str(change["Path"]))
        self._held: dict[Parts, Entry] = {}  # folders that are written when something in them is
        self._written: dict[Parts, Kind] = {}

    def write(self, exported: Readable, path: Path) -> Layer:
        """Write the layer into the new file *path*. Raises InvalidLayer, SandboxError, OSError."""
        with path.open("xb", buffering=0) as out:
            hashed = Hashed(out)
            writer = LayerWriter(hashed)
            for member in members(exported, "what the engine exports"):
                parts = inside(member.name)
                if self._is_wanted(parts):
                    self._take(parts, member, writer)
            for parts in self._gone():
                self._add(parts, Entry(join((*parts[:-1], WHITEOUT + parts[-1])), *MARK), writer)
            writer.finish()
        return Layer(path, hashed.digest, writer.is_empty)

    def _is_wanted(self, parts: Parts) -> bool:
        if not parts or parts[-1].startswith(WHITEOUT):
            return False
        text = _text(parts)
        return (text in self._changed or text in self._deleted) and not self._is_covered(parts)

    def _is_covered(self, parts: Parts) -> bool:
        return is_below(parts, self._covered)

    def _is_same(self, parts: Parts, member: Member) -> bool:
        """Say whether a folder is as it was, but for what is in it."""
        if parts in self._made:
            return True
        place = self._before.find(parts)
        if place is None or not place.is_folder or _text(parts) in self._deleted:
            return False
        facts = stat.S_IMODE(place.info.st_mode), *self._before.owner(place)
        times = int(place.info.st_mtime), self._times.get(parts)
        return facts == (member.mode, member.uid, member.gid) and int(member.mtime) in times

    def _take(self, parts: Parts, member: Member, writer: LayerWriter) -> None:
        """Write what the export has at *parts*, unless it is a folder that is as it was."""
        self._written[parts] = member.kind
        entry = self._entry(parts, member)
        if member.kind is Kind.DIRECTORY and self._is_same(parts, member):
            self._held[parts] = entry
        elif member.kind is Kind.FILE:
            self._add(parts, entry, writer, member)
        else:
            self._add(parts, entry, writer)
            if member.kind is Kind.DIRECTORY and _text(parts) in self._deleted:
                writer.add(Entry(join((*parts, OPAQUE)), *MARK))  # another one than it was

    def _add(
        self, parts: Parts, entry: Entry, writer: LayerWriter, content: Member | None = None
    ) -> None:
        """Write one member, the folders above it that were held back before it."""
        for count in range(1, len(parts)):
            if folder := self._held.pop(parts[:count], None):
                writer.add(folder)
        if content is None:
            writer.add(entry)
        else:
            writer.add_stream(entry, content)

    def _entry(self, parts: Parts, member: Member) -> Entry:
        link = member.linkname
        if member.kind is Kind.HARDLINK:
            link = join(inside(link))
            if self._is_covered(inside(link)):
                raise SandboxError(f"{_text(parts)} is a hard link into a mount")
        return entry_of(parts, member, link)

    def _gone(self) -> list[Parts]:
        """Return what is not there any more, of a folder only itself."""
        found = sorted(parts for text in self._deleted for parts in self._named(text))
        gone: set[Parts] = set()
        for parts in found:
            above = [parts[:count] for count in range(1, len(parts))]
            is_told = any(each in gone or self._is_replaced(each) for each in above)
            if parts not in self._written and not self._is_covered(parts) and not is_told:
                gone.add(parts)
        return sorted(gone)

    def _is_replaced(self, parts: Parts) -> bool:
        """Say whether a folder is now something else, or one that has nothing of it."""
        kind = self._written.get(parts)
        return kind is not None and (kind is not Kind.DIRECTORY or _text(parts) in self._deleted)

    def _named(self, text: str) -> list[Parts]:
        """Return what was called *text* before; JSON has one sign for all bytes it cannot have."""
        found: list[Parts] = [()]
        for word in filter(None, text.split("/")):
            if "\ufffd" in word:
                found = [
                    (*above, name)
                    for above in found
                    for name in self._before.names(above)
                    if _readable(name) == word
                ]
            else:
                found = [(*above, word.encode()) for above in found]
        return [parts for parts in found if self._before.find(parts) is not None]


class Hashed:
    """A file that is hashed while it is written."""

    def __init__(self, out: FileIO) -> None:
        self._out, self._hash = out, hashlib.sha256()

    @property
    def digest(self) -> str:
        """The digest of all that was written."""
        return f"sha256:{self._hash.hexdigest()}"

    def write(self, data: bytes | memoryview) -> None:
        """Append *data*."""
        self._hash.update(data)
        view = memoryview(data)
        while view:
            view = view[self._out.write(view) :]

    def fileno(self) -> int:
        """Have none: what goes past this is not hashed."""
        raise OSError("only written to")

    def advance(self, count: int) -> None:
        """Have nothing go past this."""
        raise OSError("only written to")


def entry_of(parts: Parts, member: Member, link: bytes) -> Entry:
    """Return *member* as it is written on, at *parts*, leading to *link*."""
    return Entry(
        join(parts),
        member.kind,
        member.mode,
        member.uid,
        member.gid,
        int(member.mtime),
        member.size if member.kind is Kind.FILE else 0,
        link,
        member.device,
        {
            key[len(_XATTR) :].decode("utf-8", "surrogateescape"): value
            for key, value in member.records.items()
            if key.startswith(_XATTR)
        },
    )


def is_below(parts: Parts, places: Collection[Parts]) -> bool:
    """Say whether *parts* is one of *places*, or in one."""
    return any(parts[:count] in places for count in range(1, len(parts) + 1))


def join(parts: Parts) -> bytes:
    """Return a path as a member is called."""
    return b"/".join(parts)


def _text(parts: Parts) -> str:
    """Return a path as the daemon's JSON has it."""
    return "".join(f"/{_readable(part)}" for part in parts)


def _readable(name: bytes) -> str:
    return _UNREADABLE.sub("\ufffd", name.decode("utf-8", "surrogateescape"))
