"""What this machine can confine a command with: found by doing it, not by version numbers."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.errors import SandboxError, Unsupported
from pytest_images.sandbox import ids
from pytest_images.sandbox.confined import confined
from pytest_images.sandbox.program import SAYS, says_ok
from pytest_images.sandbox.removal import remove
from pytest_images.sandbox.spec import Spec
from pytest_images.sandbox.users import usable

if TYPE_CHECKING:
    from collections.abc import Iterator

# The faster first: crun starts a command in a third of the time that runc takes.
RUNTIMES = (("crun", "--cgroup-manager=disabled"), ("runc", "--rootless=true"))
NO_FILTER = "no filter of system calls: install runc or crun for one"
SINGLE_ID = "files can belong to one user only: install uidmap and set /etc/subuid for more"
_PROBE_SECONDS = 20.0
_lock = threading.Lock()
_known: dict[int, Abilities | Unsupported] = {}


@dataclass(frozen=True, slots=True)
class Abilities:
    """How commands are confined here; *overlay*: layers need not be copied for it."""

    isolation: str
    runtime: tuple[str, ...]
    ids: ids.Ids
    overlay: bool
    warnings: tuple[str, ...]


def abilities(folder: Path) -> Abilities:
    """Return what commands with their files in *folder* can be confined with.

    Asked once for each disk in a process. Raises Unsupported where nothing works, with what
    was tried.
    """
    disk = folder.stat().st_dev
    with _lock:
        if disk not in _known:
            try:
                _known[disk] = _probe(folder)
            except Unsupported as error:
                _known[disk] = error
        found = _known[disk]
    if isinstance(found, Unsupported):
        raise _again(found)
    return found


def has_overlay(folder: Path) -> bool:
    """Say whether a step with its files in *folder* can stand on layers as they are.

    Not where nothing works here: who runs the step then gets it as plain files.
    """
    try:
        return abilities(folder).overlay
    except Unsupported:
        return False


def _again(error: Unsupported) -> Unsupported:
    """Return the same error, without where it was raised the first time."""
    fresh = Unsupported(error.operation, error.reason)
    for note in getattr(error, "__notes__", ()):
        fresh.add_note(note)
    return fresh


def _probe(folder: Path) -> Abilities:
    """Try a runtime, then our own hands; each with an overlay, then without."""
    if sys.platform != "linux":
        raise _unsupported("a command of an image runs on Linux only")
    who = usable()
    tried = []
    for runtime, overlay in _ways():
        name = Path(runtime[0]).name if runtime else "namespaces"
        try:
            _try(folder, runtime, who, overlay=overlay)
        except (SandboxError, OSError) as error:
            tried.append(f"{name} {'with' if overlay else 'without'} overlay: {error}")
        else:
            missing = [*([] if runtime else [NO_FILTER]), *([SINGLE_ID] * who.users.is_single)]
            return Abilities(name, runtime, who, overlay, tuple(missing))
    raise _unsupported("; ".join(tried))


def _unsupported(reason: str) -> Unsupported:
    unsupported = Unsupported("RUN", reason)
    unsupported.add_note(
        "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1 or "
        "kernel.apparmor_restrict_unprivileged_userns=0), or install pytest-images-docker, which "
        "lets Docker run the steps."
    )
    return unsupported


def _ways() -> Iterator[tuple[tuple[str, ...], bool]]:
    places = ((shutil.which(name), options) for name, *options in RUNTIMES)
    found = [(place, *options) for place, options in places if place]
    for runtime in (*found, ()):
        yield runtime, True
        yield runtime, False


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
