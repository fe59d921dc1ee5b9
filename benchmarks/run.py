"""Run benchmarks by name; `python benchmarks/run.py --help` lists them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import peers  # after the path is set, so that a clone needs no installing

NAMES = (
    *("startup", "listing", "pull", "push", "save", "load", "import"),
    *("building", "serving", "memory", "looking"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(NAMES)}; all without any")
    parser.add_argument("-n", "--rounds", type=int, default=5, help="timed rounds of each (5)")
    parser.add_argument("--sizes", default="SML", help="which images to move (SML)")
    parser.add_argument("--folder", type=Path, help="where to keep images and stores")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    peers.versions()
    with tempfile.TemporaryDirectory(prefix="images-bench-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in options.names or NAMES:
            _run(name, folder, options)


def _run(name: str, folder: Path, options: argparse.Namespace) -> None:
    """Import a benchmark only when it runs: none disturbs another's start."""
    if name in ("pull", "push"):
        from benchmarks import moving

        getattr(moving, name)(folder, options.rounds, options.sizes)
    elif name in ("save", "load"):
        from benchmarks import archiving

        getattr(archiving, name)(folder, options.rounds, options.sizes)
    elif name == "import":
        from benchmarks.importing import importing

        importing(folder, options.rounds, options.sizes)
    elif name == "building":
        from benchmarks.building import building

        building(folder, options.rounds)
    elif name == "listing":
        from benchmarks.listing import listing

        listing(folder, options.rounds)
    elif name == "looking":
        from benchmarks.looking import looking

        looking(folder, options.rounds)
    elif name == "memory":
        from benchmarks.memory import memory

        memory(folder, options.sizes[-1])
    elif name == "serving":
        from benchmarks.serving import serving

        serving(folder, options.rounds)
    else:
        from benchmarks.startup import startup

        startup(folder, options.rounds)


if __name__ == "__main__":
    main()
