"""Save and load, as commands and inside a process, beside podman and skopeo."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers, workload
from benchmarks.timing import Contestant, alternate, command, table
from pytest_images import Host

PODMAN_SAVE = "podman save"
SKOPEO_LOAD = "skopeo docker-archive: -> dir:"


def save(folder: Path, rounds: int, sizes: str) -> None:
    """Save into a new file, flushed to the disk; podman does not flush."""
    podman = peers.find("podman")
    if podman is None:
        return
    for size in sizes:
        layout = workload.layout(folder / "images", size)
        with tempfile.TemporaryDirectory(prefix="pb-", dir="/tmp") as short:
            bench = _Save(podman, Path(short), layout, folder / f"save-store-{size}")
            try:
                table(f"save {size}", alternate(bench.contestants(), rounds), PODMAN_SAVE)
            finally:
                bench.clear()


def load(folder: Path, rounds: int, sizes: str) -> None:
    """Load an archive of plain layers into an empty store, default durability."""
    skopeo = peers.find("skopeo")
    if skopeo is None:
        return
    for size in sizes:
        layout = workload.layout(folder / "images", size)
        archive = folder / f"plain-{size}.tar"
        if not archive.exists():
            copy = (skopeo, "--insecure-policy", "copy", "-q")
            command(*copy, f"oci:{layout}:1", f"docker-archive:{archive}:bench.test/app:1")
        bench = _Load(skopeo, archive, folder / "load-fresh")
        table(f"load {size}", alternate(bench.contestants(), rounds), SKOPEO_LOAD)


@dataclass
class _Save:
    podman: str
    short: Path
    layout: Path
    home: Path

    def contestants(self) -> list[Contestant]:
        with Host(home=self.home, load_entry_points=False) as host:
            host.images.load(self.layout)
            host.images.save(self._image, self._fresh())
        command(*self._podman(), "load", "-q", "-i", self.home.with_suffix(".tar"))
        return [
            Contestant("save, command", self._fresh, self._by_command),
            Contestant("save --format docker, command", self._fresh, self._unpacked),
            Contestant("save --format docker, in a process", self._fresh, self._in_process),
            Contestant(PODMAN_SAVE, self._fresh, self._by_podman),
        ]

    def clear(self) -> None:
        command(*self._podman(), "rmi", "-a", "-f")

    @property
    def _image(self) -> str:
        return workload.image_id(self.layout)

    def _podman(self) -> tuple[str, ...]:
        return (self.podman, f"--root={self.short / 'root'}", f"--runroot={self.short / 'run'}")

    def _fresh(self) -> Path:
        target = self.home.with_suffix(".tar")
        target.unlink(missing_ok=True)
        return target

    def _by_command(self, target: Path, *options: str) -> int:
        env = {"PYTEST_IMAGES_HOME": str(self.home)}
        return command(*peers.OURS, "save", *options, "-o", target, self._image, env=env)

    def _unpacked(self, target: Path) -> int:
        return self._by_command(target, "--format", "docker")

    def _in_process(self, target: Path) -> int:
        with Host(home=self.home, load_entry_points=False) as host:
            host.images.save(self._image, target, form="docker")
        return 0

    def _by_podman(self, target: Path) -> int:
        return command(*self._podman(), "save", "-q", "-o", target, self._image)


@dataclass
class _Load:
    skopeo: str
    archive: Path
    fresh: Path

    def contestants(self) -> list[Contestant]:
        return [
            Contestant("load, command", self._empty, self._by_command),
            Contestant("load, in a process", self._empty, self._in_process),
            Contestant(SKOPEO_LOAD, self._empty, self._by_skopeo),
        ]

    def _empty(self) -> Path:
        shutil.rmtree(self.fresh, ignore_errors=True)
        return self.fresh

    def _by_command(self, fresh: Path) -> int:
        env = {"PYTEST_IMAGES_HOME": str(fresh)}
        return command(*peers.OURS, "load", "-q", "-i", self.archive, env=env)

    def _in_process(self, fresh: Path) -> int:
        with Host(home=fresh, load_entry_points=False) as host:
            host.images.load(self.archive)
        return 0

    def _by_skopeo(self, fresh: Path) -> int:
        source = f"docker-archive:{self.archive}"
        return command(self.skopeo, "--insecure-policy", "copy", "-q", source, f"dir:{fresh}")
