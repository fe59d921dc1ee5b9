"""A small root file system with a shell, and steps to run in it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pytest_images.answers.run import Sandbox
from pytest_images.errors import Unsupported
from pytest_images.host import Host
from pytest_images.model.platform import Platform
from pytest_images.model.request.run import Ran, RunStep
from pytest_images.sandbox import abilities
from tests.peers import miss, shared_images

TOOLS = ("sh", "cat", "ls", "id", "mkdir", "rm", "sleep", "touch", "ln", "chmod", "chown", "mv")
WAYS = {
    "namespaces": (),
    "runc": ("runc", "--rootless=true"),
    "crun": ("crun", "--cgroup-manager=disabled"),
}


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Alpine where its files are at hand, else this machine's shell and what it is linked to."""
    folder = tmp_path_factory.mktemp("rootfs")
    shared = shared_images()
    if shared is not None:
        [archive] = shared.glob("alpine/alpine-minirootfs-3.20*x86_64.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="fully_trusted")
        return folder
    for tool in TOOLS:
        copy_program(tool, folder)
    for name in ("etc", "tmp", "dev", "proc", "sys"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "etc/passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nguest:x:405:100::/:/bin/sh\n"
    )
    (folder / "etc/group").write_text("root:x:0:root\nusers:x:100:guest\n")
    return folder


def copy_program(name: str, folder: Path) -> None:
    found = shutil.which(name)
    assert found is not None
    linked = subprocess.run(["ldd", found], capture_output=True, text=True, check=False).stdout
    for source in (found, *re.findall(r"(/\S+) \(", linked)):
        target = folder / ("bin/" + name if source == found else source[1:])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


class Room:
    """Runs shell commands in an overlay over the root file system."""

    def __init__(self, rootfs: Path, folder: Path) -> None:
        self.rootfs, self.upper, self.scratch = rootfs, folder / "upper", folder / "scratch"
        self.upper.mkdir()
        self.scratch.mkdir()
        self.log = ""

    def step(self, *command: str, **options: Any) -> RunStep:
        self.out = io.BytesIO()
        given: dict[str, Any] = {
            "environment": {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            "lowers": (self.rootfs,),
            "scratch": self.scratch,
            **options,
        }
        platform = Platform("linux", "amd64")
        return RunStep(self.upper, command, platform, self.out, **given)

    def run(self, text: str, **options: Any) -> Ran:
        """Run *text* by the shell; `log` is what it printed."""
        return self.run_command("/bin/sh", "-c", text, **options)

    def run_command(self, *command: str, **options: Any) -> Ran:
        with Host(load_entry_points=False) as host:
            ran = Sandbox().build_run(host.images, self.step(*command, **options))
        self.log = self.out.getvalue().decode(errors="replace")
        assert list(self.scratch.iterdir()) == []
        return ran

    def printed(self, text: str, **options: Any) -> str:
        """Run *text*, which must end well, and return what it printed."""
        assert self.run(text, **options).status == 0, self.log
        return self.log

    @property
    def changed(self) -> set[str]:
        """What lies in the upper folder, but for folders that are as they are below."""
        names = (str(path.relative_to(self.upper)) for path in self.upper.rglob("*"))
        return {name for name in names if not self._is_as_below(name)}

    def _is_as_below(self, name: str) -> bool:
        above, below = self.upper / name, self.rootfs / name
        if not (above.is_dir() and below.is_dir()):
            return False
        found, before = above.stat(), below.stat()
        same = (found.st_mtime_ns, found.st_mode) == (before.st_mtime_ns, before.st_mode)
        return same and not above.is_symlink()


@pytest.fixture
def room(rootfs: Path, tmp_path: Path) -> Room:
    """A room confined in the way that this machine chooses."""
    require_sandbox(tmp_path)
    return Room(rootfs, tmp_path)


@pytest.fixture(params=WAYS)
def any_room(
    request: pytest.FixtureRequest,
    rootfs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Room:
    """A room confined in each way in turn: our own namespaces, and each runtime."""
    require_sandbox(tmp_path)
    way = WAYS[request.param]
    if way and shutil.which(way[0], path="/usr/sbin:/usr/bin") is None:
        miss(way[0], f"{way[0]} is not on this machine")
    monkeypatch.setattr(abilities, "RUNTIMES", (way,) if way else ())
    monkeypatch.setattr(abilities, "_known", {})
    monkeypatch.setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    room = Room(rootfs, tmp_path)
    assert abilities.abilities(room.scratch).isolation == request.param
    return room


def require_sandbox(folder: Path) -> None:
    """Skip where nothing can be confined, unless this run promises root."""
    if sys.platform != "linux":
        pytest.skip("a command of an image runs on Linux only")
    try:
        abilities.abilities(folder)
    except Unsupported as error:
        miss("root", str(error))
