"""Text with tabs set in columns as Go's tabwriter does: for cells that hold anything.

`table` does the same, faster, for cells without tabs and line breaks. Here a column is a run
of lines that all have a tab in that place: a line without one ends it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST = 10  # characters of a column
PADDING = 3  # characters between columns


def tabulated(text: str) -> str:
    r"""Return *text* with each tab replaced by the spaces that align its column.

    >>> print(tabulated("TAG\tSIZE\nlatest\t5MB\n"), end="")
    TAG       SIZE
    latest    5MB
    """
    lines = [line.split("\t") for line in text.split("\n")]
    blocks, column = [lines], 0
    while blocks:
        blocks = [block for each in blocks for block in _with_column(each, column)]
        for block in blocks:
            _align(block, column)
        column += 1
    return "\n".join(map("".join, lines))


def _with_column(lines: list[list[str]], column: int) -> Iterator[list[list[str]]]:
    """Yield each run of *lines* that all have a tab after the cell of *column*."""
    for has_column, run in groupby(lines, key=lambda cells: len(cells) > column + 1):
        if has_column:
            yield list(run)


def _align(lines: list[list[str]], column: int) -> None:
    width = max(LEAST, *(len(cells[column]) + PADDING for cells in lines))
    for cells in lines:
        cells[column] = cells[column].ljust(width)
