"""Those who build beside us, each with a storage of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from benchmarks import peers
from benchmarks.timing import command

if TYPE_CHECKING:
    from collections.abc import Iterator

START_LIMIT = 60  # seconds


class Builder(Protocol):
    """Builds a folder, as a command."""

    @property
    def name(self) -> str:
        """What its rows are called."""
        ...

    @property
    def has_daemon(self) -> bool:
        """Whether the work is done by a process that a command does not account for."""
        ...

    def load(self, archive: Path) -> None:
        """Take the image that builds stand on."""
        ...

    def build(self, context: Path, *, cached: bool) -> int:
        """Build the folder *context*; return the command's peak memory in bytes."""
        ...

    def forget(self) -> None:
        """Remove the images without names that builds left."""
        ...


@dataclass(frozen=True, slots=True)
class Docker:
    """`docker build` without BuildKit, before an engine started for it."""

    words: tuple[str, ...]
    environment: dict[str, str]
    name: str = "docker build (classic)"
    has_daemon: bool = True

    def load(self, archive: Path) -> None:
        self._run("load", "-q", "-i", archive)

    def build(self, context: Path, *, cached: bool) -> int:
        fresh = () if cached else ("--no-cache",)
        self._run("build", "-q", "-t", "bench", "--network=host", *fresh, context)
        return 0  # what the client takes says nothing

    def forget(self) -> None:
        self._run("image", "prune", "-f")

    def _run(self, *words: object) -> None:
        command(*self.words, *words, env=self.environment)


@dataclass(frozen=True, slots=True)
class Storage:
    """`podman build` or `buildah bud`, layer by layer as Docker does, commands in a chroot.

    That isolation is their fastest, and it needs no runtime that suits the machine.
    """

    program: str
    folder: Path
    has_daemon: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        return "buildah bud" if self.program == "buildah" else f"{self.program} build"

    def load(self, archive: Path) -> None:
        self._run("pull", "-q", f"docker-archive:{archive}")

    def build(self, context: Path, *, cached: bool) -> int:
        fresh = () if cached else ("--no-cache",)
        words = ("--layers", "--isolation=chroot", "--network=host", "-t", "bench", *fresh)
        return self._run("build", "-q", *words, context)

    def forget(self) -> None:
        words = ("image", "prune", "-f") if self.program == "podman" else ("rmi", "--prune")
        self._run(*words)

    def _run(self, *words: object) -> int:
        places = ("--root", self.folder / "root", "--runroot", self.folder / "run")
        return command(self.program, *places, "--storage-driver=overlay", *words)


@contextlib.contextmanager
def builders() -> Iterator[list[Builder]]:
    """Give those that this machine has, with empty storages that go with the block."""
    found: list[Builder] = []
    with contextlib.ExitStack() as stack:
        if peers.find("dockerd") and peers.find("docker"):
            found.append(stack.enter_context(_engine()))
        for program in ("podman", "buildah"):
            if peers.find(program):
                # Podman takes a path of 50 characters.
                folder = Path(tempfile.mkdtemp(prefix="pb-", dir="/tmp"))
                stack.callback(shutil.rmtree, folder)
                found.append(Storage(program, folder))
        yield found


@contextlib.contextmanager
def _engine() -> Iterator[Docker]:
    """Run a Docker engine of our own, without a network, until the block ends."""
    program = peers.find("dockerd")
    with tempfile.TemporaryDirectory(prefix="pb-", dir="/tmp") as folder:
        host = f"--host=unix://{folder}/docker.sock"
        words = (
            *("unshare", "--mount"),  # the mounts it makes on its folders go with it
            *(str(program), host, f"--data-root={folder}/data", f"--exec-root={folder}/exec"),
            *(f"--pidfile={folder}/pid", "--storage-driver=overlay2", "--bridge=none"),
            *("--iptables=false", "--ip6tables=false"),
        )
        log = Path(folder, "log")
        with log.open("wb") as out, subprocess.Popen(words, stdout=out, stderr=out) as daemon:
            try:
                _wait_for(Path(folder, "docker.sock"), daemon, log)
                yield Docker(("docker", host), {"DOCKER_BUILDKIT": "0", "DOCKER_CONFIG": folder})
            finally:
                daemon.terminate()
                daemon.wait(START_LIMIT)


def _wait_for(socket: Path, daemon: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT
    words = ("docker", f"--host=unix://{socket}", "version")
    while time.monotonic() < deadline and daemon.poll() is None:
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(words, check=True, capture_output=True, env=dict(os.environ))
            return
        time.sleep(0.1)
    raise SystemExit(f"dockerd does not start: {log.read_text()[-1000:]}")
