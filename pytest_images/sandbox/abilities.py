"""What this machine can confine a command with: found by doing it, not by version numbers."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass
from pytest_images.errors import SandboxError, Unsupported
from pytest_images.sandbox import ids
from pytest_images.sandbox.confined import confined
from pytest_images.sandbox.program import SAYS, says_ok
from pytest_images.sandbox.remembered import Memory, Way
from pytest_images.sandbox.removal import remove
from pytest_images.sandbox.spec import Spec
from pytest_images.sandbox.users import usable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# The faster first: crun takes half of the time that runc takes to start a command.
RUNTIMES = (("crun", "--cgroup-manager=disabled"), ("runc", "--rootless=true"))
NO_FILTER = "no filter of system calls: install runc or crun for one"
SINGLE_ID = "files can belong to one user only: install uidmap and set /etc/subuid for more"
_PROBE_SECONDS = 20.0
_lock = threading.Lock()
_known: dict[int, Abilities | Unsupported] = {}
_memories: dict[int, Memory] = {}


@dataclass(frozen=True, slots=True)
class Abilities:
    """How commands are confined here; *overlay*: layers need not be copied for it."""

    isolation: str
    runtime: tuple[str, ...]
    ids: ids.Ids
    overlay: bool
    warnings: tuple[str, ...]


def abilities(folder: Path, memory: Path | None = None) -> Abilities:
    """Return what commands with their files in *folder* can be confined with.

    Found out once for each disk in a process, and remembered in the folder *memory* for others.
    Raises Unsupported where nothing works, with what was tried.
    """
    disk = folder.stat().st_dev
    with _lock:
        if disk not in _known:
            try:
                _known[disk] = _found(folder, memory)
            except Unsupported as error:
                _known[disk] = error
        found = _known[disk]
    if isinstance(found, Unsupported):
        raise _again(found)
    return found


def forget(folder: Path) -> None:
    """Have the next process find out anew: a step with its files in *folder* failed."""
    memory = _memories.get(folder.stat().st_dev)
    if memory is not None:
        memory.forget()


def has_overlay(folder: Path, memory: Path | None = None) -> bool:
    """Say whether a step with its files in *folder* can stand on layers as they are.

    Not where nothing works here: who runs the step then gets it as plain files.
    """
    try:
        return abilities(folder, memory).overlay
    except Unsupported:
        return False


def _again(error: Unsupported) -> Unsupported:
    """Return the same error, without where it was raised the first time."""
    fresh = Unsupported(error.operation, error.reason)
    for note in getattr(error, "__notes__", ()):
        fresh.add_note(note)
    return fresh


def _found(folder: Path, where: Path | None) -> Abilities:
    """Recall what works here, or try it."""
    if sys.platform != "linux":
        raise _unsupported("a command of an image runs on Linux only")
    who, ways = usable(), list(_ways())
    runtimes = sorted({way.runtime[0] for way in ways if way.runtime})
    memory = None if where is None else Memory(where, who, runtimes)
    way = None if memory is None else memory.recall()
    if way not in ways:
        way = _probe(folder, who, ways)
        if memory is not None:
            memory.note(way)
    if memory is not None:
        _memories[folder.stat().st_dev] = memory
    missing = [*([] if way.runtime else [NO_FILTER]), *([SINGLE_ID] * who.users.is_single)]
    return Abilities(_name(way), way.runtime, who, way.overlay, tuple(missing))


def _probe(folder: Path, who: ids.Ids, ways: Sequence[Way]) -> Way:
    """Try a runtime, then our own hands; each with an overlay, then without."""
    tried = []
    for way in ways:
        try:
            _try(folder, way.runtime, who, overlay=way.overlay)
        except (SandboxError, OSError) as error:
            tried.append(f"{_name(way)} {'with' if way.overlay else 'without'} overlay: {error}")
        else:
            return way
    raise _unsupported("; ".join(tried))


def _name(way: Way) -> str:
    return Path(way.runtime[0]).name if way.runtime else "namespaces"


def _unsupported(reason: str) -> Unsupported:
    unsupported = Unsupported("RUN", reason)
    unsupported.add_note(
        "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1 or "
        "kernel.apparmor_restrict_unprivileged_userns=0), or install pytest-images-docker, which "
        "lets Docker run the steps."
    )
    return unsupported


def _ways() -> Iterator[Way]:
    places = ((shutil.which(name), options) for name, *options in RUNTIMES)
    found = [(place, *options) for place, options in places if place]
    for runtime in (*found, ()):
        yield Way(runtime, overlay=True)
        yield Way(runtime, overlay=False)


def _try(folder: Path, runtime: tuple[str, ...], who: ids.Ids, *, overlay: bool) -> None:
    """Run a program that says one word. Raises SandboxError, OSError."""
    log = io.BytesIO()
    probe = Path(tempfile.mkdtemp(prefix="probe-", dir=folder))
    try:
        layer, upper, scratch = (probe / name for name in ("layer", "upper", "scratch"))
        for path in (layer, upper, scratch):
            path.mkdir()
        program = layer / "ok"
        program.write_bytes(says_ok())
        program.chmod(0o755)
        spec = Spec(
            rootfs=str(upper if overlay else layer),
            scratch=str(scratch),
            command=("/ok",),
            environment={},
            directory="/",
            user="",
            files={},
            lowers=(str(layer),) if overlay else (),
            has_network=False,
            has_groups=not who.groups.is_single,
            runtime=runtime,
        )
        status = confined(spec, log, who, _PROBE_SECONDS)
    finally:
        remove(probe)
    if status or log.getvalue() != SAYS:  # one that runs nothing at all may end well, too
        said = log.getvalue().decode(errors="replace").strip()
        raise SandboxError(f"it ended with status {status}: {said[-300:]}")
