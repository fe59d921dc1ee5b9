"""What the plugin adds to the start of pytest where it is not used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks.timing import Contestant, alternate, command, table

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT = "pytest -p no:images"


def startup(folder: Path, rounds: int) -> None:
    """Run pytest on one empty test, with the plugin installed and with it switched off."""
    suite = folder / "suite"
    suite.mkdir(exist_ok=True)
    (suite / "test_empty.py").write_text("def test_empty():\n    pass\n")
    (suite / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    words = (sys.executable, "-m", "pytest", "-q", str(suite))
    runs = alternate(
        [
            Contestant("pytest", lambda: None, lambda _: command(*words)),
            Contestant(WITHOUT, lambda: None, lambda _: command(*words, "-p", "no:images")),
        ],
        max(rounds, 15),
    )
    table("start of pytest, one empty test", runs, WITHOUT)
