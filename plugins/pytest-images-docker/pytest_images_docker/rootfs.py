"""The root file system of a step as one tar: its layers merged, mounts in their places.

An engine shares no disk with us that we could know of, so it gets everything as a stream. What
is mounted over a folder is part of that: the engine makes a volume there, which begins with
what the image has at its place.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from pytest_images import SandboxError
from pytest_images.builder.allowed import FILE, FOLDER, allowed
from pytest_images.builder.unpack import OWNER
from pytest_images.layer.changed import Changed
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Entry, LayerWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Parts = tuple[bytes, ...]
LINK_LIMIT = 40  # links that lead to one place
_OPAQUE = "user.overlay.opaque"
_KEPT = ("user.", "security.capability")
_OURS = ("user.overlay.", OWNER)
_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFCHR: Kind.CHARACTER,
    stat.S_IFBLK: Kind.BLOCK,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFIFO: Kind.FIFO,
}


class Sink(Protocol):
    """Where the tar goes."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Append *data*."""


class Place(NamedTuple):
    """What the merged file system has at a path; *folders* make up a folder, nearest first."""

    path: bytes
    info: os.stat_result
    folders: tuple[bytes, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, and no link to one."""
        return bool(self.folders)


class Merged:
    """The folders *layers* (nearest first), as an overlay shows them. *single*: see `owner`."""

    def __init__(self, layers: Sequence[str], *, single: bool) -> None:
        folders = tuple(map(os.fsencode, layers))
        self.root = Place(folders[0], os.lstat(folders[0]), folders)
        self.single = single

    def find(self, parts: Parts) -> Place | None:
        """Return what is at *parts*, links not followed; None: nothing."""
        found: Place | None = self.root
        for name in parts:
            if found is None:
                return None
            found = _child(found.folders, name)
        return found

    def names(self, parts: Parts) -> list[bytes]:
        """Return what the folder at *parts* has, in order; nothing where it is none."""
        place = self.find(parts)
        return [] if place is None else _names(place.folders)

    def resolve(self, text: str) -> Parts:
        """Return where the path *text* leads, links followed inside the root. Raises SandboxError.

        What is not there yet is part of the answer.
        """
        left = list(reversed(os.fsencode(text).split(b"/")))
        parts: Parts = ()
        links = 0
        while left:
            name = left.pop()
            if name in (b"", b"."):
                continue
            if name == b"..":
                parts = parts[:-1]
                continue
            place = self.find((*parts, name))
            if place is None or not stat.S_ISLNK(place.info.st_mode):
                parts = (*parts, name)
                continue
            links += 1
            if links > LINK_LIMIT:
                raise SandboxError(f"{text}: too many links")
            target = os.readlink(place.path)
            parts = () if target.startswith(b"/") else parts
            left += reversed(target.split(b"/"))
        return parts

    def below(self, parts: Parts, place: Place) -> Iterator[tuple[Parts, Place]]:
        """Yield what is in a folder, by name, folders before what is in them."""
        for name in _names(place.folders):
            inner = _child(place.folders, name)
            if inner is not None:
                yield (*parts, name), inner

    def owner(self, place: Place) -> tuple[int, int]:
        """Return who owns it: where one user owns all files here, that is noted beside them."""
        if not self.single:
            return place.info.st_uid, place.info.st_gid
        noted = None if stat.S_ISLNK(place.info.st_mode) else _xattr(place.path, OWNER)
        uid, _, gid = (noted or b"0:0").partition(b":")
        return int(uid), int(gid)


class Root(NamedTuple):
    """What an engine gets for a step: all of it goes through JSON, see `sandbox.users.as_root`.

    *mounts* are the sources by target, None for a folder that stays empty; *places* are
    folders that must be there, because something is mounted or put below them.
    """

    layers: tuple[str, ...]
    mounts: tuple[tuple[str, str | None], ...]
    places: tuple[str, ...]
    single: bool

    def plan(self, out: str = "") -> dict[str, Any]:
        """Return it as an argument of `pack`."""
        return {**self._asdict(), "out": out}


def pack(argument: Mapping[str, Any]) -> None:
    """Write the tar into the file ``out``. Raises OSError, SandboxError."""
    with open(argument["out"], "wb") as out:
        send(argument, out)


def send(argument: Mapping[str, Any], out: Sink) -> None:
    """Write the tar to *out*. Raises OSError, SandboxError."""
    merged = Merged(argument["layers"], single=argument["single"])
    mounts = {_parts(target): source for target, source in argument["mounts"]}
    places = {*map(_parts, argument["places"]), *mounts}
    _Tar(merged, mounts, places, out).write()


class _Tar:
    def __init__(
        self, merged: Merged, mounts: dict[Parts, str | None], places: set[Parts], out: Sink
    ) -> None:
        self._merged, self._mounts = merged, mounts
        self._needed = {each[:count] for each in places for count in range(1, len(each) + 1)}
        self._writer = LayerWriter(Sent(out))
        self._links: dict[tuple[int, int], bytes] = {}

    def write(self) -> None:
        self._walk((), self._merged.root, self._merged)
        for parts in sorted(self._needed):
            if parts in self._needed:  # else it came with one before
                self._mount(parts) if parts in self._mounts else self._empty(parts)
        self._writer.finish()

    def _walk(self, parts: Parts, place: Place, merged: Merged) -> None:
        for inner_parts, inner in merged.below(parts, place):
            if inner_parts in self._mounts:
                self._mount(inner_parts)
                continue
            self._member(inner_parts, inner, merged)
            if inner.is_folder:
                self._walk(inner_parts, inner, merged)

    def _mount(self, parts: Parts) -> None:
        """Write what is mounted at *parts*, instead of what is there."""
        source = self._mounts[parts]
        if source is None:
            self._empty(parts)
            return
        info = os.lstat(source)
        path = os.fsencode(source)
        if not stat.S_ISDIR(info.st_mode):
            self._member(parts, Place(path, info), self._merged)
            return
        mounted = Merged([source], single=self._merged.single)
        self._member(parts, mounted.root, mounted)
        self._walk(parts, mounted.root, mounted)

    def _empty(self, parts: Parts) -> None:
        place = self._merged.find(parts)
        if place is not None and place.is_folder:
            self._member(parts, place, self._merged)
        else:
            self._needed.discard(parts)
            self._writer.add(Entry(b"/".join(parts), Kind.DIRECTORY, 0o755))

    def _member(self, parts: Parts, place: Place, merged: Merged) -> None:
        info = place.info
        kind = _KINDS.get(stat.S_IFMT(info.st_mode))
        if kind is None:
            return  # a socket: nobody listens any more
        self._needed.discard(parts)
        name = b"/".join(parts)
        uid, gid = merged.owner(place)
        is_device = kind in (Kind.CHARACTER, Kind.BLOCK)
        entry = Entry(
            name,
            kind,
            stat.S_IMODE(info.st_mode),
            uid,
            gid,
            int(info.st_mtime),
            info.st_size if kind is Kind.FILE else 0,
            os.readlink(place.path) if kind is Kind.SYMLINK else b"",
            (os.major(info.st_rdev), os.minor(info.st_rdev)) if is_device else (0, 0),
            _xattrs(place.path) if kind in (Kind.FILE, Kind.DIRECTORY) else {},
        )
        if kind is Kind.FILE:
            self._file(entry, place)
        else:
            self._writer.add(entry)

    def _file(self, entry: Entry, place: Place) -> None:
        info = place.info
        if info.st_nlink > 1:
            first = self._links.setdefault((info.st_dev, info.st_ino), entry.name)
            if first != entry.name:
                self._writer.add(Entry(entry.name, Kind.HARDLINK, entry.mode, linkname=first))
                return
        with _opened(place) as stream:
            try:
                self._writer.add_stream(entry, stream)
            except Changed:
                name = os.fsdecode(entry.name)
                raise SandboxError(f"/{name} was changed while it was read") from None


class Sent:
    """A stream as what a layer is written to: nothing goes past it."""

    def __init__(self, out: Sink) -> None:
        self._out = out

    def write(self, data: bytes | memoryview) -> None:
        """Append *data*."""
        self._out.write(data)

    def fileno(self) -> int:
        """Have none: a stream has its own way to what it sends."""
        raise OSError("only written to")

    def advance(self, count: int) -> None:
        """Have nothing go past this."""
        raise OSError("only written to")


def _child(folders: Sequence[bytes], name: bytes) -> Place | None:
    """Return what *name* is in a merged folder: the nearest of its folders hides the others."""
    path, info = b"", None
    found: list[bytes] = []
    for folder in folders:
        inner = folder + b"/" + name
        try:
            here = os.lstat(inner)
        except (FileNotFoundError, NotADirectoryError):
            continue
        is_folder = stat.S_ISDIR(here.st_mode)
        if (stat.S_ISCHR(here.st_mode) and here.st_rdev == 0) or (info and not is_folder):
            break
        if info is None:
            path, info = inner, here
        if not is_folder:
            break
        found.append(inner)
        if _xattr(inner, _OPAQUE) == b"y":
            break
    return None if info is None else Place(path, info, tuple(found))


def _names(folders: Sequence[bytes]) -> list[bytes]:
    return sorted({name for folder in folders for name in _listed(folder)})


def _listed(folder: bytes) -> list[bytes]:
    with allowed(folder, FOLDER):
        return os.listdir(folder)


@contextmanager
def _opened(place: Place) -> Iterator[BinaryIO]:
    with allowed(place.path, FILE):
        descriptor = os.open(place.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        yield stream


def _parts(text: str) -> Parts:
    return tuple(part for part in os.fsencode(text).split(b"/") if part)


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
    own = (name for name in names if name.startswith(_KEPT) and not name.startswith(_OURS))
    with allowed(path, FILE):
        return {name: os.getxattr(path, name, follow_symlinks=False) for name in own}
