"""One RUN step of a build, as the question `build_run` gets it, and its answer."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.dataclass import dataclass, field
from pytest_images.model.frozen import FrozenMap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_images.model.platform import Platform
    from pytest_images.model.secret import Secret


class MountKind(StrEnum):
    """What a mount of a RUN step shows."""

    BIND = "bind"
    TMPFS = "tmpfs"
    SECRET = "secret"  # noqa: S105 - the kind of mount, not one


@dataclass(frozen=True, slots=True)
class RunMount:
    """One ``--mount`` of a RUN step, its source already found; *target* is absolute.

    ``bind``: the folder or file *source* of this machine (a cache is such a folder).
    ``tmpfs``: *size* bytes at most, None: the system's default. ``secret``: a file of
    *content* with *mode* and owner, in memory only.
    """

    kind: MountKind
    target: str
    source: Path | None = None
    read_only: bool = False
    size: int | None = None
    content: Secret | None = None
    mode: int = 0o400
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class RunStep:
    """One command to run in a root file system; its output goes to *log*.

    When *log* is closed the command is to be ended: its build failed elsewhere.

    The root file system is the folder *rootfs*; where there are *lowers* (top first), it is
    these with *rootfs* above them, which then takes only what changes, in the form of an
    overlay's upper folder. *scratch* is an empty folder on the same disk, for the time of the
    step. *network*: ``default`` and ``host`` are this machine's, ``none`` is none. *timeout*
    is in seconds.
    """

    rootfs: Path
    command: tuple[str, ...]
    platform: Platform
    log: BinaryIO
    environment: Mapping[str, str] = field(default_factory=FrozenMap)
    working_directory: str = "/"
    user: str = ""
    network: str = "default"
    lowers: tuple[Path, ...] = ()
    scratch: Path | None = None
    add_hosts: tuple[tuple[str, str], ...] = ()
    mounts: tuple[RunMount, ...] = ()
    secret_environment: Mapping[str, Secret] = field(default_factory=FrozenMap)
    timeout: float | None = None

    def __post_init__(self) -> None:
        for name in ("environment", "secret_environment"):
            object.__setattr__(self, name, FrozenMap(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Ran:
    """How a RUN step ended: its exit *status*, what confined it, and what did not.

    *isolation* names who ran it (``runc``, ``namespaces``, ``docker``); *warnings* say what
    of a full confinement was missing.
    """

    status: int
    isolation: str
    warnings: tuple[str, ...] = ()
