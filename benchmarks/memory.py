"""The most memory each command takes, on the largest image: it must not grow with the image."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks import peers, workload
from benchmarks.timing import Contestant, alternate, command, table

if TYPE_CHECKING:
    from pathlib import Path

SKOPEO = "skopeo oci: -> oci:"


def memory(folder: Path, size: str = "L") -> None:
    """Run every command once on image *size*, and skopeo's copy of the same layout."""
    layout = workload.layout(folder / "images", size)
    home = folder / "memory"
    shutil.rmtree(home, ignore_errors=True)
    with peers.docker_registry(folder / "memory-registry") as address:
        name = f"{address}/bench/memory:1"
        image = f"sha256:{workload.image_id(layout)}"
        commands = [
            ("load", "-q", "-i", str(layout)),
            ("ls",),
            ("tag", image, name),
            ("inspect", name),
            ("save", "-o", str(folder / "memory.tar"), name),
            ("save", "--format", "docker", name),  # into /dev/null
            ("push", "-q", name),
            ("rm", "-f", image),
            ("pull", "-q", name),
        ]
        contestants = [_ours(home, words) for words in commands]
        if skopeo := peers.find("skopeo"):
            words = ("--insecure-policy", "copy", "-q", f"oci:{layout}:1", f"oci:{folder / 'copy'}")
            contestants.append(Contestant(SKOPEO, lambda: None, lambda _: command(skopeo, *words)))
        table(f"peak memory, image {size}", alternate(contestants, 1))


def _ours(home: Path, words: tuple[str, ...]) -> Contestant:
    env = {"PYTEST_IMAGES_HOME": str(home)}
    return Contestant(words[0], lambda: None, lambda _: command(*peers.OURS, *words, env=env))
