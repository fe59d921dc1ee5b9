"""Import of a root file system's tar, as a command and inside a process, beside umoci."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import peers, workload
from benchmarks.timing import Contestant, alternate, command, table
from pytest_images import Host

if TYPE_CHECKING:
    from pathlib import Path

UMOCI = "umoci raw add-layer"


def importing(folder: Path, rounds: int, sizes: str) -> None:
    """Import a plain tar into an empty store, default durability."""
    for size in sizes:
        bench = _Import(workload.root(folder / "roots", size), folder / "import-target")
        table(f"import {size}", alternate(bench.contestants(), rounds), UMOCI)


@dataclass
class _Import:
    tar: Path
    target: Path

    def contestants(self) -> list[Contestant]:
        found = [
            Contestant("import, command", self._empty, self._by_command),
            Contestant("import, in a process", self._empty, self._in_process),
        ]
        if umoci := peers.find("umoci"):
            found.append(Contestant(UMOCI, self._empty, lambda _: self._by_umoci(umoci)))
        return found

    def _empty(self) -> Path:
        shutil.rmtree(self.target, ignore_errors=True)
        return self.target

    def _by_command(self, fresh: Path) -> int:
        return command(*peers.OURS, "import", self.tar, env={"PYTEST_IMAGES_HOME": str(fresh)})

    def _in_process(self, fresh: Path) -> int:
        with Host(home=fresh, load_entry_points=False) as host:
            host.images.import_(self.tar)
        return 0

    def _by_umoci(self, umoci: str) -> int:
        command(umoci, "init", "--layout", self.target)
        command(umoci, "new", "--image", f"{self.target}:1")
        return command(umoci, "raw", "add-layer", "--image", f"{self.target}:1", self.tar)
