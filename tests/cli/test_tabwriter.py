from __future__ import annotations

import pytest

from pytest_images.cli.table import table
from pytest_images.cli.tabwriter import tabulated


def test_plain_cells_are_set_as_the_faster_table_sets_them() -> None:
    rows = [("a", "b" * 20, "c"), ("d" * 12, "", "")]
    text = "".join("\t".join(row) + "\n" for row in (("A", "B", "C"), *rows))
    assert tabulated(text) == table(("A", "B", "C"), rows)


# What Go 1.22's text/tabwriter prints with Docker's settings (least 10, padding 3).
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a", "a"),
        ("a\tb", "a         b"),
        ("a\t\tb\n", "a                   b\n"),
        ("a\tb\nlong line without\nccccccccccccc\td\n",
         "a         b\nlong line without\nccccccccccccc   d\n"),
        ("a\tb\tc\nd\te\n", "a         b         c\nd         e\n"),
        ("a\t\n", "a         \n"),
    ],
)  # fmt: skip
def test_a_line_without_a_cell_ends_its_column(text: str, expected: str) -> None:
    assert tabulated(text) == expected
