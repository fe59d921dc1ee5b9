"""Files that exist in memory only, and only where the confined process looks: secrets are there."""

from __future__ import annotations

import os

from pytest_images.sandbox import syscalls


class Memory:
    """A tmpfs of this mount namespace: for secrets, for /etc/hosts and the like, for a runtime."""

    def __init__(self, scratch: str) -> None:
        self.folder = os.path.join(scratch, "memory")
        self._count = 0
        os.mkdir(self.folder, 0o700)
        data = "mode=700,size=16m"
        syscalls.mount("tmpfs", self.folder, "tmpfs", syscalls.MS_NOSUID, data)

    def put(self, content: bytes, mode: int, uid: int = 0, gid: int = 0) -> str:
        """Write one file; return its path."""
        self._count += 1
        path = os.path.join(self.folder, str(self._count))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            os.fchown(descriptor, uid, gid)
            os.fchmod(descriptor, mode)
        return path
