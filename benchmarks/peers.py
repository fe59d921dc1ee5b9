"""The programs to be measured against, and a real registry on a free port."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = [sys.executable, "-m", "pytest_images"]
OURS_PYTHON = sys.executable
_script = Path(sys.executable).with_name("pytest-images")
if _script.exists():
    OURS = [str(_script)]


def find(program: str) -> str | None:
    """Return the path of *program*, or None after saying that it is missing."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        print(f"  ({program} is not on this machine: not compared)")
    return path


def versions() -> None:
    """Print what is compared."""
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} processors")
    for program in ("docker-registry", "skopeo", "podman", "buildah", "dockerd", "curl"):
        if path := find(program):
            text = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            print(f"  {path}: {(text.stdout or text.stderr).splitlines()[0]}")


@contextlib.contextmanager
def docker_registry(folder: Path) -> Iterator[str]:
    """Run the distribution project's registry over *folder*; give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}}}}}\nhttp: {{addr: '{address}'}}\n"
    )
    program = find("docker-registry")
    if program is None:
        raise SystemExit("these benchmarks need docker-registry")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(config)], stdout=log, stderr=log)
        try:
            wait_for(address)
            yield address
        finally:
            process.terminate()
            process.wait(20)


def wait_for(address: str, limit: float = 20) -> None:
    """Wait until something listens at *address*."""
    host, _, port = address.partition(":")
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            return
        time.sleep(0.005)
    raise SystemExit(f"nothing listens at {address}")
