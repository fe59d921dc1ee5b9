"""A layer's files on the disk, for the commands of RUN steps.

They are made inside their root, by descriptors, whatever links the layer holds. Two forms: as
a layer of an overlay a folder has that layer alone, and what it takes away is there as the
kernel marks it; merged, the layers are put one over the other into one folder. Runs as the
root of a user namespace where owners are to be kept (see `sandbox.users`).
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_images.content.writing import write_whole
from pytest_images.errors import DigestMismatch
from pytest_images.layer import paths
from pytest_images.layer.header import Malformed
from pytest_images.layer.measure import measure
from pytest_images.layer.member import XATTR, Kind
from pytest_images.namedtuple import NamedTuple
from pytest_images.sandbox.syscalls import open_in_root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.layer.member import Member

OPAQUE = b".wh..wh..opq"
OWNER = "user.pytest_images.owner"  # who owns a file that only one user can be given here
_OPAQUE_MARK = "user.overlay.opaque"
_KEPT = ("user.", "security.capability")  # what else there is speaks to a kernel, not to a program
_NOT_KEPT = ("user.overlay.", OWNER)  # would be read as ours
_ZEROS = bytes(1 << 18)
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Parts = tuple[bytes, ...]


def unpack(argument: Mapping[str, Any]) -> None:
    """Unpack the layer ``blob`` (a path) into ``folder``, with ``diff_id`` verified.

    ``source`` names it in errors, ``limit`` bounds its bytes, ``below`` are the folders of
    the layers below, nearest first, ``merged`` chooses the form and ``single`` says that all
    files get one owner. Raises InvalidLayer, DigestMismatch, LimitExceeded, OSError.
    """
    blob, source, limit = argument["blob"], argument["source"], argument["limit"]
    target = _Target(argument)
    if argument["merged"]:
        with open(blob, "rb") as stream:
            measure(stream, source, limit, visit=target.take_away)
    with open(blob, "rb") as stream:
        facts = measure(stream, source, limit, visit=target.put)
    target.finish()
    if str(facts.diff_id) != argument["diff_id"]:
        raise DigestMismatch(argument["diff_id"], str(facts.diff_id), source)


class _Later(NamedTuple):
    """What a folder gets when everything is in it."""

    path: Parts
    mode: int
    mtime: float


class _Target:
    """The folder that a layer is unpacked into."""

    def __init__(self, argument: Mapping[str, Any]) -> None:
        self._root = os.open(argument["folder"], _FOLDER | os.O_CLOEXEC)
        self._below = [os.open(path, _FOLDER | os.O_CLOEXEC) for path in argument["below"]]
        self._is_merged, self._is_single = argument["merged"], argument["single"]
        self._source = argument["source"]
        self._folders: list[_Later] = []
        self._parent: tuple[Parts, int] = ((), os.dup(self._root))

    def put(self, member: Member) -> None:
        """Make one member. Raises Malformed, OSError."""
        parts = paths.inside(member.name)
        if not parts:
            self._dress_folder((), self._root, member)
            return
        folder, name = self._folder(parts[:-1]), parts[-1]
        if name.startswith(paths.WHITEOUT):
            if not self._is_merged:
                self._mark(folder, name)
            return
        if member.kind is Kind.DIRECTORY:
            self._put_folder(parts, folder, member)
            return
        _remove(folder, name)
        try:
            _MAKERS[member.kind](self, folder, name, member)
        except PermissionError:
            if member.kind in (Kind.CHARACTER, Kind.BLOCK):
                return  # no device can be made here; the layer itself still has it
            raise

    def take_away(self, member: Member) -> None:
        """Do what a whiteout says to the layers below, before anything is put."""
        parts = paths.inside(member.name)
        if not parts or not parts[-1].startswith(paths.WHITEOUT):
            return
        try:
            folder = open_in_root(self._root, _text(parts[:-1]), _FOLDER)
        except OSError:
            return  # nothing of it was there
        try:
            if parts[-1] == OPAQUE:
                for name in os.listdir(folder):
                    _remove(folder, os.fsencode(name))
            else:
                _remove(folder, parts[-1][len(paths.WHITEOUT) :])
        finally:
            os.close(folder)

    def finish(self) -> None:
        """Give folders their modes and times: what was put into them changed these."""
        for path, mode, mtime in reversed(self._folders):
            with suppress(FileNotFoundError, NotADirectoryError):  # replaced later in the layer
                folder = open_in_root(self._root, _text(path), _FOLDER)
                try:
                    os.fchmod(folder, mode)
                    os.utime(folder, (mtime, mtime))
                finally:
                    os.close(folder)
        for descriptor in (self._root, self._parent[1], *self._below):
            os.close(descriptor)

    def _folder(self, parts: Parts) -> int:
        """Open a folder of the root through its links, made where it is missing."""
        if self._parent[0] == parts:
            return self._parent[1]
        try:
            found = open_in_root(self._root, _text(parts), _FOLDER)
        except (FileNotFoundError, NotADirectoryError):
            found = self._make_folder(parts)
        os.close(self._parent[1])
        self._parent = parts, found
        return found

    def _make_folder(self, parts: Parts) -> int:
        """Make a folder that no member names, and those above it."""
        found = os.dup(self._root)
        for count, name in enumerate(parts, 1):
            path = _text(parts[:count])
            try:
                inner = open_in_root(self._root, path, _FOLDER)
            except (FileNotFoundError, NotADirectoryError):
                _remove(found, name)
                os.mkdir(name, 0o755, dir_fd=found)
                self._copy_facts(parts[:count], found, name)
                inner = open_in_root(self._root, path, _FOLDER)
            os.close(found)
            found = inner
        return found

    def _copy_facts(self, parts: Parts, folder: int, name: bytes) -> None:
        """In an overlay a folder hides the facts of the one below: have them here too."""
        for root in self._below:
            try:
                below = open_in_root(root, _text(parts), _FOLDER)
            except OSError:
                continue
            info = os.fstat(below)
            with suppress(PermissionError):  # one user only: it is that user's below, too
                os.chown(name, info.st_uid, info.st_gid, dir_fd=folder, follow_symlinks=False)
            self._folders.append(_Later(parts, stat.S_IMODE(info.st_mode), info.st_mtime))
            os.close(below)
            return

    def _put_folder(self, parts: Parts, folder: int, member: Member) -> None:
        name = parts[-1]
        try:
            os.mkdir(name, 0o700, dir_fd=folder)
        except FileExistsError:
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if not stat.S_ISDIR(mode):
                hides = stat.S_ISCHR(mode) and not self._is_merged
                _remove(folder, name)
                os.mkdir(name, 0o700, dir_fd=folder)
                if hides:  # a whiteout came first: what is below stays hidden
                    os.setxattr(_path(folder, name), _OPAQUE_MARK, b"y")
        inner = os.open(name, _FOLDER | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            self._dress_folder(parts, inner, member)
        finally:
            os.close(inner)

    def _dress_folder(self, parts: Parts, folder: int, member: Member) -> None:
        os.fchmod(folder, 0o700)  # until everything is in it
        self._own(folder, member)
        self._extend(folder, member)
        self._folders.append(_Later(parts, member.mode, member.mtime))

    def _make_file(self, folder: int, name: bytes, member: Member) -> None:
        descriptor = os.open(name, _CREATE, 0o600, dir_fd=folder)
        try:
            while piece := member.read():
                _write(descriptor, piece)
            os.ftruncate(descriptor, member.size)  # where it ends in a hole
            self._own(descriptor, member)
            self._extend(descriptor, member)
            os.fchmod(descriptor, member.mode)
            os.utime(descriptor, (member.mtime, member.mtime))
        finally:
            os.close(descriptor)

    def _make_symlink(self, folder: int, name: bytes, member: Member) -> None:
        os.symlink(member.linkname, name, dir_fd=folder)
        self._dress(folder, name, member)

    def _make_hardlink(self, folder: int, name: bytes, member: Member) -> None:
        parts = paths.inside(member.linkname)
        try:
            source = open_in_root(self._root, _text(parts[:-1]), _FOLDER)
        except OSError:
            source = None
        if source is not None:
            try:
                os.link(
                    parts[-1], name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False
                )
                return
            except FileNotFoundError:
                pass  # a file of a layer below, perhaps
            finally:
                os.close(source)
        if not self._copy_from_below(parts, folder, name):
            raise Malformed(f"it is a hard link to {_text(parts)}, which is not there")

    def _copy_from_below(self, parts: Parts, folder: int, name: bytes) -> bool:
        """Copy a file of a layer below: folders of different layers share no files."""
        for root in self._below:
            try:
                source = open_in_root(root, _text(parts), os.O_RDONLY | os.O_NONBLOCK)
            except OSError:
                continue
            with os.fdopen(source, "rb") as stream:
                info = os.fstat(source)
                if not stat.S_ISREG(info.st_mode):
                    return False
                descriptor = os.open(name, _CREATE, 0o600, dir_fd=folder)
                with os.fdopen(descriptor, "wb") as out:
                    shutil.copyfileobj(stream, out)
                    with suppress(PermissionError):
                        os.fchown(descriptor, info.st_uid, info.st_gid)
                    os.fchmod(descriptor, stat.S_IMODE(info.st_mode))
                os.utime(name, ns=(info.st_mtime_ns,) * 2, dir_fd=folder)
            return True
        return False

    def _make_device(self, folder: int, name: bytes, member: Member) -> None:
        kind = stat.S_IFCHR if member.kind is Kind.CHARACTER else stat.S_IFBLK
        os.mknod(name, kind | 0o600, os.makedev(*member.device), dir_fd=folder)
        self._dress(folder, name, member)
        os.chmod(name, member.mode, dir_fd=folder)

    def _make_fifo(self, folder: int, name: bytes, member: Member) -> None:
        os.mkfifo(name, 0o600, dir_fd=folder)
        self._dress(folder, name, member)
        os.chmod(name, member.mode, dir_fd=folder)

    def _dress(self, folder: int, name: bytes, member: Member) -> None:
        """Give owner and times to what has no content."""
        if not self._is_single:
            os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False)
        times = (member.mtime, member.mtime)
        os.utime(name, times, dir_fd=folder, follow_symlinks=False)

    def _own(self, descriptor: int, member: Member) -> None:
        """Give the file to its owner, or note who that is where there is one user only."""
        if not self._is_single:
            os.fchown(descriptor, member.uid, member.gid)
        elif member.uid or member.gid:
            os.setxattr(descriptor, OWNER, b"%d:%d" % (member.uid, member.gid))

    def _extend(self, descriptor: int, member: Member) -> None:
        for key, value in member.records.items():
            if key.startswith(XATTR):
                name = key[len(XATTR) :].decode("utf-8", "surrogateescape")
                if name.startswith(_KEPT) and not name.startswith(_NOT_KEPT):
                    with suppress(PermissionError):  # of a capability, without the right to give it
                        os.setxattr(descriptor, name, value)

    def _mark(self, folder: int, name: bytes) -> None:
        """Mark what the layer takes away of those below, as overlays read it."""
        if name == OPAQUE:
            os.setxattr(folder, _OPAQUE_MARK, b"y")
            return
        if name.startswith(paths.WHITEOUT + paths.WHITEOUT):
            return  # what AUFS kept for itself
        hidden = name[len(paths.WHITEOUT) :]
        try:
            os.mknod(hidden, stat.S_IFCHR, 0, dir_fd=folder)
        except FileExistsError:
            found = os.stat(hidden, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):  # put by this layer already: only the rest goes
                os.setxattr(_path(folder, hidden), _OPAQUE_MARK, b"y")


_MAKERS = {
    Kind.FILE: _Target._make_file,
    Kind.SYMLINK: _Target._make_symlink,
    Kind.HARDLINK: _Target._make_hardlink,
    Kind.CHARACTER: _Target._make_device,
    Kind.BLOCK: _Target._make_device,
    Kind.FIFO: _Target._make_fifo,
}


def _remove(folder: int, name: bytes) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError):
        shutil.rmtree(os.fsdecode(name), dir_fd=folder)


def _write(descriptor: int, piece: bytes) -> None:
    if len(piece) == len(_ZEROS) and piece == _ZEROS:
        os.lseek(descriptor, len(piece), os.SEEK_CUR)
        return
    write_whole(descriptor, piece)


def _text(parts: Parts) -> str:
    return "/" + os.fsdecode(b"/".join(parts))


def _path(folder: int, name: bytes) -> bytes:
    return b"/proc/self/fd/%d/%b" % (folder, name)
