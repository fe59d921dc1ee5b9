"""Where mounts go in a root file system that nobody trusts: found by descriptors, inside it.

A place that is not there is made for the time of the command and taken away afterwards,
by the descriptor of its folder, so that nothing of it shows in the layer. Only a place that
is still what was made is taken away.
"""

from __future__ import annotations

import errno
import os
import stat

from pytest_images.sandbox.syscalls import open_in_root

LINK_LIMIT = 8  # links of one place that are followed


class Refused(Exception):
    """The root file system has something that the sandbox cannot be set up with."""


class Places:
    """The places of one root file system, opened as *root*."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._made: list[tuple[int, str, int]] = []  # folder, name, inode
        self._times: list[tuple[int, int, int]] = []  # folder, its times before

    def folder(self, path: str) -> int:
        """Open the folder *path*, made where it is missing. Raises Refused, OSError."""
        found, done = self._open("/"), ""
        for name in filter(None, path.split("/")):
            done = f"{done}/{name}"
            try:
                inner = self._open(done)
            except FileNotFoundError:
                self._make(found, name, done, is_folder=True)
                inner = self._open(done)
            except NotADirectoryError:
                raise Refused(f"{done} is not a folder in this image") from None
            found = inner
        return found

    def real_folder(self, path: str) -> int:
        """Open *path*, which must be a folder itself and no link to one."""
        above, _, name = path.rpartition("/")
        outer = self.folder(above)
        try:
            mode = os.stat(name, dir_fd=outer, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return self.folder(path)
        if not stat.S_ISDIR(mode):
            raise Refused(f"{path} is not a folder in this image, but {_kind(mode)}")
        return self.folder(path)

    def file(self, path: str, links: int = LINK_LIMIT) -> int:
        """Open the regular file *path*, made where it is missing; its links are followed."""
        above, _, name = path.rpartition("/")
        outer = self.folder(above)
        try:
            mode = os.stat(name, dir_fd=outer, follow_symlinks=False).st_mode
        except FileNotFoundError:
            self._make(outer, name, path, is_folder=False)
            return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=outer)
        if stat.S_ISLNK(mode):
            if links == 0:
                raise Refused(f"{path}: too many links")
            target = os.readlink(name, dir_fd=outer)
            return self.file(os.path.normpath(os.path.join(above or "/", target)), links - 1)
        if not stat.S_ISREG(mode):
            raise Refused(f"{path} is not a file in this image, but {_kind(mode)}")
        return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=outer)

    def clear(self) -> None:
        """Take away what was made and is still as it was, and set back the folders' times."""
        for folder, name, inode in reversed(self._made):
            try:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if found.st_ino != inode:
                    continue
                if stat.S_ISDIR(found.st_mode):
                    os.rmdir(name, dir_fd=folder)
                elif found.st_size == 0:
                    os.unlink(name, dir_fd=folder)
            except OSError as error:  # gone, or filled by the command: then it is part of the layer
                if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                    raise
        for folder, accessed, modified in reversed(self._times):
            os.utime(folder, ns=(accessed, modified))

    def _open(self, path: str) -> int:
        return open_in_root(self._root, path, os.O_RDONLY | os.O_DIRECTORY)

    def _make(self, folder: int, name: str, path: str, *, is_folder: bool) -> None:
        before = os.fstat(folder)
        try:
            if is_folder:
                os.mkdir(name, 0o755, dir_fd=folder)
            else:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                os.close(os.open(name, flags, 0o644, dir_fd=folder))
        except FileExistsError:
            raise Refused(f"{path} is a link to nowhere in this image") from None
        self._times.append((folder, before.st_atime_ns, before.st_mtime_ns))
        made = os.stat(name, dir_fd=folder, follow_symlinks=False)
        self._made.append((folder, name, made.st_ino))


def _kind(mode: int) -> str:
    kinds = {stat.S_IFLNK: "a link", stat.S_IFREG: "a file", stat.S_IFIFO: "a FIFO"}
    return kinds.get(stat.S_IFMT(mode), "something else")
