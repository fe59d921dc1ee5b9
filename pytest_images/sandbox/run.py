"""`run`: the command of a RUN step, confined as well as this machine can."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.errors import SandboxError
from pytest_images.model.request.run import MountKind, Ran
from pytest_images.sandbox.abilities import abilities, forget
from pytest_images.sandbox.confined import confined
from pytest_images.sandbox.emulation import require_emulation
from pytest_images.sandbox.removal import remove
from pytest_images.sandbox.spec import MountSpec, Spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.model.request.run import RunMount, RunStep
    from pytest_images.sandbox.abilities import Abilities

NETWORKS = ("default", "host", "none")
_LOOPBACK = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
_RESOLV_LIMIT = 64 << 10


def run(step: RunStep) -> Ran:
    """Run the command of *step* and return how it ended.

    With an OCI runtime where one works on this machine, else in namespaces made here, which
    lack its filter of system calls; never unconfined. Raises Unsupported where neither can
    be had, or nothing emulates the architecture; SandboxError where the step cannot be set up
    or takes too long.
    """
    if step.network not in NETWORKS:
        raise SandboxError(f'network "{step.network}" is none of {", ".join(NETWORKS)}')
    with _scratch(step.scratch) as scratch:
        found = abilities(scratch)
        require_emulation(step.platform, scratch)
        status = 1
        try:
            status = confined(_spec(step, scratch, found), step.log, found.ids, step.timeout)
        finally:
            if status:
                forget(scratch)
    return Ran(status, found.isolation, found.warnings)


@contextmanager
def _scratch(folder: Path | None) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    try:
        yield path
    finally:
        remove(path)


def _spec(step: RunStep, scratch: Path, found: Abilities) -> Spec:
    secrets = {name: secret.reveal() for name, secret in step.secret_environment.items()}
    return Spec(
        rootfs=str(step.rootfs),
        scratch=str(scratch),
        command=step.command,
        environment={**step.environment, **secrets},
        directory=step.working_directory or "/",
        user=step.user,
        files=_files(step),
        lowers=tuple(map(str, step.lowers)),
        mounts=tuple(map(_mount, step.mounts)),
        has_network=step.network != "none",
        has_groups=not found.ids.groups.is_single,
        runtime=found.runtime,
    )


def _files(step: RunStep) -> dict[str, str]:
    """Return what a container finds in /etc of the machine it runs on."""
    hosts = "".join(f"{address}\t{name}\n" for name, address in step.add_hosts)
    files = {"/etc/hosts": _LOOPBACK + hosts, "/etc/hostname": "build\n"}
    if step.network != "none":
        try:
            with Path("/etc/resolv.conf").open(encoding="utf-8", errors="replace") as stream:
                files["/etc/resolv.conf"] = stream.read(_RESOLV_LIMIT)
        except OSError:
            files["/etc/resolv.conf"] = ""  # the machine resolves no names either
    return files


def _mount(mount: RunMount) -> MountSpec:
    secret = mount.content.reveal() if mount.content is not None else ""
    return MountSpec(
        kind=MountKind(mount.kind).value,
        target=mount.target,
        source=str(mount.source) if mount.source is not None else "",
        read_only=mount.read_only,
        size=mount.size,
        content=secret.encode("utf-8", "surrogateescape"),
        mode=mount.mode,
        uid=mount.uid,
        gid=mount.gid,
    )
