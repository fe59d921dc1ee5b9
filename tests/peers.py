"""The real programs that tests are held against, and where to find them.

``PYTEST_IMAGES_PEERS=skopeo,registry`` (or ``all``) turns a missing one into a failure,
so that no skip hides a missing peer in CI.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# The name in PYTEST_IMAGES_PEERS and in @pytest.mark.peer, and the program behind it.
PROGRAMS = {
    "skopeo": "skopeo",
    "podman": "podman",
    "buildah": "buildah",
    "registry": "docker-registry",
    "dockerd": "dockerd",
    "docker": "docker",
    "cc": "cc",
    "tar": "tar",
    "runc": "runc",
    "umoci": "umoci",
    "debootstrap": "debootstrap",
    "curl": "curl",
    "git": "git",
    "bash": "bash",
    "bindfs": "bindfs",
    "exfat": "mount.exfat-fuse",
    "fish": "fish",
    "zsh": "zsh",
}
# Abilities of the machine that tests can need like a program.
ABILITIES = {
    "root": lambda: os.geteuid() == 0,
    "shared": lambda: shared_images() is not None,
    "fuse": lambda: (
        os.geteuid() == 0 and all(map(os.path.exists, ("/dev/fuse", "/dev/loop-control")))
    ),
}


def is_required(name: str) -> bool:
    """Say whether this run promises to have *name*."""
    required = os.environ.get("PYTEST_IMAGES_PEERS", "").replace(" ", "").split(",")
    return name in required or "all" in required


def peer(name: str) -> str:
    """Return the path of the program *name* stands for; skip, or fail where it is required."""
    if name in ABILITIES:
        found = "yes" if ABILITIES[name]() else None
    else:
        found = shutil.which(PROGRAMS[name], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        miss(name, f"{name} is not on this machine")
    return found


def miss(name: str, message: str) -> NoReturn:
    """Skip for want of *name*, or fail where this run promises it."""
    if is_required(name):
        pytest.fail(f"{message}, but PYTEST_IMAGES_PEERS names {name}")
    pytest.skip(message)


def shared_images() -> Path | None:
    """The folder of real images: $PYTEST_IMAGES_SHARED, or ``../shared/images``, or None."""
    named = os.environ.get("PYTEST_IMAGES_SHARED")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "images"
    return folder if folder.is_dir() else None


@dataclass(frozen=True, slots=True)
class DockerRegistry:
    """A running server of the distribution project; ``str()`` is ``127.0.0.1:port``."""

    address: str
    log: Path
    root: Path

    def access_log(self, contains: str = "") -> list[str]:
        """Return the access log's lines with *contains* in them."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if '"HTTP/1.1"' not in line and contains in line]

    def __str__(self) -> str:
        return self.address


@contextlib.contextmanager
def serving_docker_registry(folder: Path, htpasswd: str = "") -> Iterator[DockerRegistry]:
    """Run a real registry over *folder* on a free port until the block ends.

    With *htpasswd* (lines of user and bcrypt hash) it wants one of these users.
    """
    program = peer("registry")
    folder.mkdir(parents=True, exist_ok=True)
    address = f"127.0.0.1:{_free_port()}"
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\n"
        "log: {accesslog: {disabled: false}, level: warn}\n"
        "storage:\n"
        f"  filesystem: {{rootdirectory: {folder / 'data'}}}\n"
        "  delete: {enabled: true}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    if htpasswd:
        users = folder / "htpasswd"
        users.write_text(htpasswd)
        with config.open("a") as more:
            more.write(f"auth: {{htpasswd: {{realm: test, path: {users}}}}}\n")
    log = folder / "access.log"
    with log.open("wb") as out:
        process = subprocess.Popen([program, "serve", config], stdout=out, stderr=out)
        try:
            _wait_for(address, process)
            yield DockerRegistry(address, log, folder / "data")
        finally:
            process.terminate()
            process.wait(10)


@dataclass(frozen=True, slots=True)
class Docker:
    """A Docker engine and its client; called with the words of a command, it gives its output."""

    command: tuple[str, ...]
    environment: dict[str, str]

    @property
    def address(self) -> str:
        """Where the engine listens, as ``DOCKER_HOST`` has it."""
        return self.command[1].removeprefix("--host=")

    def run(self, *words: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command of the client, whatever its exit status."""
        return subprocess.run(
            [*self.command, *map(str, words)],
            capture_output=True,
            check=False,
            input=stdin,
            env=self.environment,
            timeout=120,
        )

    def __call__(self, *words: str | Path, stdin: bytes = b"") -> bytes:
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"docker {words}: {done.stderr.decode()}"
        return done.stdout


@contextlib.contextmanager
def serving_docker(driver: str = "vfs") -> Iterator[Docker]:
    """Run a Docker engine of our own, without a network, until the block ends.

    *driver* is what it keeps layers with.
    """
    client, server = peer("docker"), peer("dockerd")
    peer("root")
    # A socket's path is short, hence not pytest's folder.
    with tempfile.TemporaryDirectory(prefix="pi-", dir="/tmp") as folder:
        socket = f"unix://{folder}/docker.sock"
        words = (
            *("unshare", "--mount"),  # the mounts it makes on its folders go with it
            *(server, f"--host={socket}", f"--data-root={folder}/data"),
            *(
                f"--exec-root={folder}/exec",
                f"--pidfile={folder}/pid",
                f"--storage-driver={driver}",
            ),
            *("--iptables=false", "--ip6tables=false"),
        )
        log = Path(folder, "log")
        with log.open("wb") as out, subprocess.Popen(words, stdout=out, stderr=out) as daemon:
            docker = Docker((client, f"--host={socket}"), {**os.environ, "DOCKER_CONFIG": folder})
            try:
                _await_docker(docker, daemon, log)
                yield docker
            finally:
                daemon.terminate()
                daemon.wait(30)


def _await_docker(docker: Docker, daemon: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and daemon.poll() is None:
        if docker.run("version").returncode == 0:
            return
        time.sleep(0.1)
    tell = pytest.fail if is_required("dockerd") else pytest.skip
    tell(f"dockerd does not start: {log.read_text()[-1000:]}")


@dataclass(frozen=True, slots=True)
class Storage:
    """A podman or buildah with a storage of its own, in a folder whose path is short."""

    program: str
    folder: Path

    def __call__(self, *words: str | Path) -> str:
        command = [
            *(peer(self.program), "--root", self.folder / "root"),
            *("--runroot", self.folder / "run", "--storage-driver", "vfs", *words),
        ]
        # No settings of Docker's: buildah insists on the file that DOCKER_CONFIG leads to.
        environment = {k: v for k, v in os.environ.items() if k != "DOCKER_CONFIG"}
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, f"{self.program} {words}: {done.stderr}"
        return done.stdout


@contextlib.contextmanager
def storing(program: str) -> Iterator[Storage]:
    """Give *program* (podman, buildah) with an empty storage, gone when the block ends."""
    peer(program)
    peer("root")
    folder = Path(tempfile.mkdtemp(prefix="pi-", dir="/tmp"))  # podman takes 50 characters
    try:
        yield Storage(program, folder)
    finally:
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str, process: subprocess.Popen[bytes], limit: float = 10) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"the peer at {address} did not start")
