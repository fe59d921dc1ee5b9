"""`ls`, `tag` and `inspect` with 1 to 10,000 images: as commands, and inside a process."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.timing import Contestant, alternate, command, table
from pytest_images import Host
from pytest_images.content.durability import Durability
from pytest_images.content.facts import LayerFacts
from pytest_images.content.store import Store
from pytest_images.model.digest import Digest
from pytest_images.testing import samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNTS = (1, 100, 1000, 10_000)


def listing(folder: Path, rounds: int) -> None:
    """Time the commands that only look at records, as the store grows."""
    home = folder / "many"
    shutil.rmtree(home, ignore_errors=True)
    made = 0
    for count in COUNTS:
        _fill(home, made, count)
        made = count
        runs = alternate(_contestants(home), rounds)
        table(f"{count} images", runs, "python -c pass")


def _contestants(home: Path) -> list[Contestant]:
    env = {"PYTEST_IMAGES_HOME": str(home)}
    host = Host(home=home, load_entry_points=False)
    images = host.images

    def run(*words: str) -> Contestant:
        return Contestant(
            " ".join(words), lambda: None, lambda _: command(*peers.OURS, *words, env=env)
        )

    def call(name: str, act: Callable[[], object]) -> Contestant:
        return Contestant(f"in a process: {name}", lambda: None, lambda _: bool(act()) * 0)

    return [
        run("ls"),
        run("ls", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}"),
        run("tag", "bench:0", "bench:other"),
        run("inspect", "bench:0"),
        call("inspect", lambda: images.inspect("bench:0")),
        call("tag", lambda: images.tag("bench:0", "bench:other")),
        call("ls", images.ls),
        Contestant(
            "python -c pass", lambda: None, lambda _: command(peers.OURS_PYTHON, "-c", "pass")
        ),
    ]


def _fill(home: Path, made: int, count: int) -> None:
    """Record small images until there are *count*; what they hold does not matter here."""
    with Store.open(home, durability=Durability.FAST) as store:
        for number in range(made, count):
            sample = samples.image(f"bench {number}", size=10)
            sample.put(store, f"bench:{number}")
            for layer, tar in zip(sample.layers, sample.tars, strict=True):
                facts = LayerFacts(Digest.of(tar), len(tar), 10)
                store.add_layer(Digest.of(layer), facts)
