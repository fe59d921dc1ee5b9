"""What the plugin adds to the start of pytest where it is not used, beside what others add."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.timing import Contestant, alternate, command, table

ROOT = Path(__file__).resolve().parents[1]
ALONE = "pytest alone"


@dataclass(frozen=True)
class Peer:
    """What is installed beside pytest, and what a suite has in its conftest.py for it."""

    name: str
    requirement: str = ""
    conftest: str = ""


PEERS = (
    Peer(ALONE),
    Peer("pytest-images", str(ROOT)),
    Peer("pytest-docker-tools", "pytest-docker-tools"),
    Peer("pytest-docker", "pytest-docker"),
    # No plugin: it costs what its import does, in the conftest.py of whoever uses it.
    Peer("testcontainers", "testcontainers", "from testcontainers.core import container\n"),
)


def startup(folder: Path, rounds: int) -> None:
    """Run pytest on one empty test, with each peer in a virtual environment of its own."""
    contestants = []
    for peer in PEERS:
        words = _command(peer, folder / "startup" / peer.name.replace(" ", "-"))
        if words is not None:
            contestants.append(Contestant(peer.name, partial(tuple, words), _run))
    runs = alternate(contestants, max(rounds, 15))
    table("start of pytest, one empty test", runs, ALONE)


def _run(words: tuple[object, ...]) -> int:
    return command(*words)


def _command(peer: Peer, folder: Path) -> list[object] | None:
    """Make a virtual environment and a suite; None where the peer cannot be installed."""
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    wanted = ["pytest", *filter(None, [peer.requirement])]
    installed = subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    if installed.returncode:
        reason = (installed.stderr.strip().splitlines() or ["pip failed"])[-1]
        print(f"{peer.name} is missing: {reason}")
        return None
    suite = folder / "suite"
    suite.mkdir(exist_ok=True)
    (suite / "test_empty.py").write_text("def test_empty():\n    pass\n")
    (suite / "conftest.py").write_text(peer.conftest)
    (suite / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    return [python, "-m", "pytest", "-q", suite]
