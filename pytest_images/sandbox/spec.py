"""What the confined process is told: plain data, sent as JSON over its control socket."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class MountSpec:
    """One mount of the step; *content* is a secret's, in hex."""

    kind: str
    target: str
    source: str = ""
    read_only: bool = False
    size: int | None = None
    content: str = ""
    mode: int = 0o400
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class Spec:
    """One command in a root file system. *runtime* is empty: it is started without one."""

    rootfs: str
    scratch: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str
    user: str
    files: Mapping[str, str]
    lowers: tuple[str, ...] = ()
    mounts: tuple[MountSpec, ...] = ()
    has_network: bool = True
    has_groups: bool = True
    runtime: tuple[str, ...] = field(default=())

    def to_json(self) -> bytes:
        """Return the specification in one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_json(cls, raw: bytes) -> Spec:
        """Read what `to_json` wrote."""
        document = json.loads(raw)
        mounts = tuple(MountSpec(**each) for each in document.pop("mounts"))
        for name in ("command", "lowers", "runtime"):
            document[name] = tuple(document[name])
        return cls(mounts=mounts, **document)
