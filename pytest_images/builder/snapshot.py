"""What a command changed, as a layer: the upper folder of an overlay, or all of a folder.

The same change gives the same bytes: members in order of their names, times not later than
*latest*, no name of a user. A folder that was only copied up, because something in it was
touched, is no change.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from pytest_images.builder.allowed import FILE, FOLDER, allowed
from pytest_images.builder.unpack import OPAQUE, OWNER
from pytest_images.layer.member import Kind
from pytest_images.layer.paths import WHITEOUT
from pytest_images.layer.writer import Entry, LayerWriter
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from io import FileIO

_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHARACTER,
    stat.S_IFBLK: Kind.BLOCK,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFIFO: Kind.FIFO,
}
_OVERLAY = "user.overlay."
_OVERLAY_MARK = _OVERLAY + "opaque"
_KEPT = ("user.", "security.capability")


class Changed(NamedTuple):
    """One path of the upper folder: its name in the layer, where it lies, what it is."""

    name: bytes
    path: bytes
    info: os.stat_result


def write_upper(
    upper: Path, lowers: Sequence[Path], writer: LayerWriter, latest: int, *, single: bool = False
) -> bool:
    """Write what the upper folder of an overlay changes of *lowers* (top first).

    Says whether there was anything. *latest* is in seconds since 1970: a later time becomes
    this one. *single*: one user owns all files here, who is root in the layer. Raises OSError.
    """
    below = [os.fsencode(lower) for lower in lowers]
    return _Snapshot(_Overlay(below), writer, latest, single=single).write(os.fsencode(upper))


def write_folder(
    folder: Path, before: Before, writer: LayerWriter, latest: int, *, single: bool = False
) -> bool:
    """As `write_upper`, of a whole root file system that was as *before* says."""
    snapshot = _Snapshot(_Folder(before), writer, latest, single=single)
    found = snapshot.write(os.fsencode(folder))
    for name in sorted(before.gone(folder)):
        above, slash, base = name.rpartition(b"/")
        snapshot.add(Entry(above + slash + WHITEOUT + base, Kind.FILE, 0o600))
        found = True
    return found


def remember_as_root(argument: Mapping[str, Any]) -> None:
    """Note in the file ``before`` what ``upper`` is now, for `sandbox.users.as_root`."""
    Before.of(Path(argument["upper"])).save(Path(argument["before"]))


def write_as_root(argument: Mapping[str, Any]) -> None:
    """As `write_upper`, into the file ``out``, for `sandbox.users.as_root`.

    With ``before``, a file that `remember_as_root` wrote, as `write_folder`.
    """
    upper, latest = Path(argument["upper"]), argument["latest"]
    with open(argument["out"], "wb", buffering=0) as out:
        writer = LayerWriter(_File(out))
        if argument["before"] is not None:
            write_folder(upper, Before.load(Path(argument["before"])), writer, latest)
        else:
            write_upper(upper, [Path(lower) for lower in argument["lowers"]], writer, latest)
        writer.finish()


class _File:
    """A file that a layer is written to."""

    def __init__(self, out: FileIO) -> None:
        self._out = out

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[self._out.write(view) :]

    def fileno(self) -> int:
        return self._out.fileno()

    def advance(self, count: int) -> None:
        """The kernel has moved the position already."""


class Before:
    """What a root file system was before a command: each path's inode and last change."""

    def __init__(self, known: Mapping[bytes, tuple[int, int]]) -> None:
        self._known = known

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Look at everything below *folder*. Raises OSError."""
        found = _walk(os.fsencode(folder), b"")
        return cls({each.name: (each.info.st_ino, each.info.st_ctime_ns) for each in found})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        known = json.loads(path.read_bytes())
        return cls({os.fsencode(name): (inode, time) for name, (inode, time) in known.items()})

    def save(self, path: Path) -> None:
        """Write this down, for another process."""
        known = {os.fsdecode(name): found for name, found in self._known.items()}
        path.write_bytes(json.dumps(known).encode())

    def has(self, changed: Changed) -> bool:
        """Say whether a path is as it was."""
        return self._known.get(changed.name) == (changed.info.st_ino, changed.info.st_ctime_ns)

    def gone(self, folder: Path) -> Iterator[bytes]:
        """Yield the paths that are not there any more, of a folder only itself."""
        root = os.fsencode(folder)
        for name in self._known:
            above = name.rpartition(b"/")[0]
            path = root + b"/" + name
            if not os.path.lexists(path) and os.path.isdir(root + b"/" + above):
                yield name


def _walk(folder: bytes, prefix: bytes) -> Iterator[Changed]:
    """Yield everything below *folder* in order of the names, folders before their content."""
    with allowed(folder, FOLDER), os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        name = prefix + entry.name
        changed = Changed(name, entry.path, entry.stat(follow_symlinks=False))
        yield changed
        if stat.S_ISDIR(changed.info.st_mode):
            yield from _walk(entry.path, name + b"/")


class _Comparison(Protocol):
    """What the layers below have."""

    def is_as_below(self, changed: Changed) -> bool:
        """Say whether a path is as the layers below have it."""
        ...

    def hides(self, changed: Changed) -> bool:
        """Say whether a folder hides one of the layers below."""
        ...


class _Folder:
    """Told by what was there before."""

    def __init__(self, before: Before) -> None:
        self._before = before

    def is_as_below(self, changed: Changed) -> bool:
        return self._before.has(changed)

    def hides(self, changed: Changed) -> bool:
        return False


class _Overlay:
    """Told by the folders below; what is no folder is in the upper one because it changed."""

    def __init__(self, lowers: list[bytes]) -> None:
        self._lowers = lowers

    def is_as_below(self, changed: Changed) -> bool:
        below = self._below(changed.name) if stat.S_ISDIR(changed.info.st_mode) else None
        if below is None or _is_opaque(changed.path):
            return False
        path, info = below
        fields = ("st_mode", "st_uid", "st_gid", "st_mtime_ns")
        is_same = all(getattr(info, field) == getattr(changed.info, field) for field in fields)
        return is_same and _xattrs(path) == _xattrs(changed.path)

    def hides(self, changed: Changed) -> bool:
        return _is_opaque(changed.path) and self._below(changed.name) is not None

    def _below(self, name: bytes) -> tuple[bytes, os.stat_result] | None:
        """Return the folder that the layers below have at *name*, None: none, or hidden there."""
        for lower in self._lowers:
            path, info = lower, os.stat_result(range(10))
            for piece in name.split(b"/"):
                path += b"/" + piece
                try:
                    info = os.lstat(path)
                except (FileNotFoundError, NotADirectoryError):
                    break
                if not stat.S_ISDIR(info.st_mode):
                    return None
            else:
                return path, info
            if self._is_hidden(lower, name):
                return None
        return None

    def _is_hidden(self, lower: bytes, name: bytes) -> bool:
        """Say whether a folder above *name* in this layer hides what is further below."""
        path = lower
        for piece in name.split(b"/")[:-1]:
            path += b"/" + piece
            if _is_opaque(path):
                return True
        return False


class _Snapshot:
    def __init__(
        self, comparison: _Comparison, writer: LayerWriter, latest: int, *, single: bool
    ) -> None:
        self._comparison, self._writer = comparison, writer
        self._latest, self._single = latest, single
        self._links: dict[tuple[int, int], bytes] = {}
        self._pending: list[Changed] = []  # folders that are written when something in them is
        self._count = 0

    def write(self, root: bytes) -> bool:
        for changed in _walk(root, b""):
            self._put(changed)
        return self._count > 0

    def add(self, entry: Entry) -> None:
        self._writer.add(entry)
        self._count += 1

    def _put(self, changed: Changed) -> None:
        name, _, info = changed
        if stat.S_ISSOCK(info.st_mode):
            return  # nobody listens any more
        self._pending = [one for one in self._pending if name.startswith(one.name + b"/")]
        if self._comparison.is_as_below(changed):
            if stat.S_ISDIR(info.st_mode):
                self._pending.append(changed)
            return
        for folder in self._pending:  # unpackers take a folder's facts from here
            self._member(folder)
        self._pending.clear()
        if stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
            above, slash, base = name.rpartition(b"/")
            self.add(Entry(above + slash + WHITEOUT + base, Kind.FILE, 0o600))
            return
        self._member(changed)
        if self._comparison.hides(changed):
            self.add(Entry(name + b"/" + OPAQUE, Kind.FILE, 0o600))

    def _member(self, changed: Changed) -> None:
        name, path, info = changed
        kind = _KINDS[stat.S_IFMT(info.st_mode)]
        uid, gid = self._owner(changed)
        is_device = kind in (Kind.CHARACTER, Kind.BLOCK)
        entry = Entry(
            name,
            kind,
            stat.S_IMODE(info.st_mode),
            uid,
            gid,
            min(int(info.st_mtime), self._latest),
            info.st_size if kind is Kind.FILE else 0,
            os.readlink(path) if kind is Kind.SYMLINK else b"",
            (os.major(info.st_rdev), os.minor(info.st_rdev)) if is_device else (0, 0),
            _xattrs(path) if kind is not Kind.SYMLINK else {},
        )
        if kind is Kind.FILE:
            self._file(entry, changed)
        else:
            self.add(entry)

    def _file(self, entry: Entry, changed: Changed) -> None:
        first = self._links.setdefault((changed.info.st_dev, changed.info.st_ino), entry.name)
        if first != entry.name:
            self.add(entry._replace(kind=Kind.HARDLINK, size=0, linkname=first, xattrs={}))
            return
        with allowed(changed.path, FILE):
            descriptor = os.open(changed.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._writer.add_file(entry, descriptor)
        finally:
            os.close(descriptor)
        self._count += 1

    def _owner(self, changed: Changed) -> tuple[int, int]:
        if not self._single:
            return changed.info.st_uid, changed.info.st_gid
        noted = None if stat.S_ISLNK(changed.info.st_mode) else _xattr(changed.path, OWNER)
        uid, _, gid = (noted or b"0:0").partition(b":")
        return int(uid), int(gid)


def _is_opaque(path: bytes) -> bool:
    return _xattr(path, _OVERLAY_MARK) == b"y"


def _xattr(path: bytes, name: str) -> bytes | None:
    try:
        with allowed(path, FILE):
            return os.getxattr(path, name, follow_symlinks=False)
    except OSError:
        return None


def _xattrs(path: bytes) -> dict[str, bytes]:
    """Return the extended attributes that are a file's own."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return {}
    own = (n for n in names if n.startswith(_KEPT) and not n.startswith(_OVERLAY) and n != OWNER)
    with allowed(path, FILE):
        return {name: os.getxattr(path, name, follow_symlinks=False) for name in own}
