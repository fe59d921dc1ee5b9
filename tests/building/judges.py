"""The builders that cases are given to: Docker's classic one, buildah, and ours."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_images.errors import ImagesError
from tests.building.gist import gist, settings

if TYPE_CHECKING:
    from pytest_images.images import Images
    from tests.peers import Docker, Storage


@dataclass(frozen=True, slots=True)
class Built:
    """How a build ended: the image's lines, or the error."""

    lines: list[str] = field(default_factory=list)
    error: str = ""


class Builder(Protocol):
    """Builds the folder of a case."""

    def build(self, folder: Path, options: str) -> Built:
        """Build *folder* with further command line *options*."""


@dataclass(frozen=True, slots=True)
class ClassicDocker:
    """`docker build` without BuildKit; its images are looked at in the store of *images*."""

    docker: Docker
    images: Images

    def build(self, folder: Path, options: str) -> Built:
        # Without its cache: that knows a copied file by its content alone, not by its name.
        fresh = ("--no-cache", "--network=host", "--tag=case")
        words = ("build", *fresh, *shlex.split(options))
        done = self.docker.run(*words, folder)
        if done.returncode:
            return Built(error=done.stderr.decode())
        saved = self.docker.run("save", "case")
        if b"empty export" in saved.stderr:  # it saves no image without files
            [document] = json.loads(self.docker("inspect", "case"))
            return Built(list(settings(document["Config"], document["Author"])))
        assert saved.returncode == 0, saved.stderr
        return Built(_looked_at(self.images, saved.stdout))


@dataclass(frozen=True, slots=True)
class Buildah:
    """`buildah bud`, its commands in a chroot."""

    buildah: Storage
    images: Images

    def build(self, folder: Path, options: str) -> Built:
        archive = folder.with_suffix(".tar")
        # Without its cache: that needs no secret for a command that had one before.
        fresh = ("--isolation=chroot", "--identity-label=false", "--layers", "--no-cache")
        words = (*fresh, "--tag=case")
        try:
            with contextlib.chdir(folder):
                self.buildah("bud", *words, *shlex.split(options), folder)
            self.buildah("push", "--quiet", "case", f"docker-archive:{archive}:case")
        except AssertionError as error:
            return Built(error=str(error))
        lines = _looked_at(self.images, archive.read_bytes())
        archive.unlink()
        return Built(lines)


@dataclass(frozen=True, slots=True)
class Ours:
    """`images.build`."""

    images: Images

    def build(self, folder: Path, options: str) -> Built:
        given = _Options(shlex.split(options))
        try:
            with contextlib.chdir(folder):
                self.images.build(
                    folder,
                    tags="ours",
                    args=given.pairs("build-arg"),
                    labels=given.pairs("label"),
                    contexts=given.pairs("build-context"),
                    target=given.last("target"),
                    secrets={
                        name: Path(folder, source).read_text()
                        for name, source in given.pairs("secret").items()
                    },
                    network=given.last("network") or "default",
                )
        except ImagesError as error:
            return Built(error=str(error))
        return Built(gist(self.images, "ours"))


class _Options:
    """Options of `docker build`, all with ``=``."""

    def __init__(self, words: list[str]) -> None:
        self._words = [word.removeprefix("--") for word in words]

    def pairs(self, option: str) -> dict[str, str]:
        """Return the pairs that *option* was given; a secret's name with its file."""
        found = {}
        for value in self._values(option):
            if option == "secret":
                fields = dict(part.split("=", 1) for part in value.split(","))
                found[fields["id"]] = fields["src"]
            else:
                name, _, content = value.partition("=")
                found[name] = content
        return found

    def last(self, option: str) -> str | None:
        """Return the last value of *option*."""
        return next(reversed(self._values(option)), None)

    def _values(self, option: str) -> list[str]:
        return [w.partition("=")[2] for w in self._words if w.startswith(f"{option}=")]


def _looked_at(images: Images, archive: bytes) -> list[str]:
    loaded, *_ = images.load(io.BytesIO(archive))
    return gist(images, str(loaded.image.id))


def prepare_docker(docker: Docker, bases: dict[str, bytes]) -> None:
    """Load the *bases* that cases stand on."""
    for archive in bases.values():
        docker("load", stdin=archive)


def prepare_buildah(buildah: Storage, bases: dict[str, bytes], folder: Path) -> None:
    """Load the *bases* that cases stand on."""
    for name, archive in bases.items():
        path = folder / f"{name.partition(':')[0]}.tar"
        path.write_bytes(archive)
        buildah("pull", "--quiet", f"docker-archive:{path}")
        path.unlink()
