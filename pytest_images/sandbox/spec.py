"""What the confined process is told: plain data, over its control socket.

It is packed by `marshal`: the same interpreter is at both ends, and what reads JSON takes longer
to import than a small command takes to run. For the same reason these are plain classes.
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False  # as typing has it, without importing that
if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH = 8  # bytes before what is packed: how many follow


class MountSpec:
    """One mount of the step; *content* is a secret's."""

    def __init__(
        self,
        kind: str,
        target: str,
        source: str = "",
        *,
        read_only: bool = False,
        size: int | None = None,
        content: bytes = b"",
        mode: int = 0o400,
        uid: int = 0,
        gid: int = 0,
    ) -> None:
        self.kind, self.target, self.source = kind, target, source
        self.read_only, self.size, self.content = read_only, size, content
        self.mode, self.uid, self.gid = mode, uid, gid


class Spec:
    """One command in a root file system. *runtime* is empty: it is started without one."""

    def __init__(
        self,
        *,
        rootfs: str,
        scratch: str,
        command: tuple[str, ...],
        environment: Mapping[str, str],
        directory: str,
        user: str,
        files: Mapping[str, str],
        lowers: tuple[str, ...] = (),
        mounts: tuple[MountSpec, ...] = (),
        has_network: bool = True,
        has_groups: bool = True,
        runtime: tuple[str, ...] = (),
    ) -> None:
        self.rootfs, self.scratch = rootfs, scratch
        self.command, self.environment = command, dict(environment)
        self.directory, self.user = directory, user
        self.files, self.lowers, self.mounts = dict(files), lowers, mounts
        self.has_network, self.has_groups, self.runtime = has_network, has_groups, runtime

    def packed(self) -> bytes:
        """Return the specification as `unpacked` reads it, its length before it."""
        raw = marshal.dumps({**vars(self), "mounts": tuple(map(vars, self.mounts))})
        return len(raw).to_bytes(LENGTH, "big") + raw

    @classmethod
    def unpacked(cls, raw: bytes) -> Spec:
        """Read what `packed` wrote, without the length."""
        fields = marshal.loads(raw)  # noqa: S302 - from who started this process
        return cls(**{**fields, "mounts": tuple(MountSpec(**each) for each in fields["mounts"])})
