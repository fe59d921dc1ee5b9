"""The page of what is survived, held against the tests that name its rows."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reliability.md").read_text()
ROW = re.compile(r"\b[RAMDTBXSVY]\d\d\b")
OPEN = "## Not shown by a test yet"


def rows(text: str) -> list[str]:
    return re.findall(r"^\| ([RAMDTBXSVY]\d\d) \|", text, re.MULTILINE)


def named_by_tests() -> set[str]:
    """Rows that a test names, one by one or as ``T13 to T20``."""
    found: set[str] = set()
    for folder in (ROOT / "tests", *ROOT.glob("plugins/*/tests")):
        for path in folder.rglob("*.py"):
            if path == Path(__file__):
                continue
            text = path.read_text()
            found |= set(ROW.findall(text))
            for letter, first, last in re.findall(
                r"\b([RAMDTBXSVY])(\d\d) to [RAMDTBXSVY](\d\d)\b", text
            ):
                found |= {f"{letter}{n:02}" for n in range(int(first), int(last) + 1)}
    return found


def test_a_row_stands_on_the_page_once() -> None:
    catalogue = rows(PAGE.partition(OPEN)[0])
    assert len(catalogue) == len(set(catalogue))


def test_every_row_is_shown_by_a_test_or_said_to_be_open() -> None:
    catalogue, _, still_open = PAGE.partition(OPEN)
    assert set(rows(catalogue)) - named_by_tests() == set(rows(still_open))


def test_no_test_names_a_row_that_is_not_there() -> None:
    assert named_by_tests() - set(rows(PAGE)) == set()
