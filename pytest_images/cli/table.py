"""Columns of text as Go's tabwriter sets them: cells padded by three, columns ten wide."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LEAST = 10  # characters of a column
PADDING = 3  # characters between columns


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, left_out: int | None = None
) -> str:
    """Return *header* and *rows* as lines; the last column is not padded.

    *left_out* is a column not to show.

    >>> print(table(("TAG", "SIZE"), [("latest", "5MB")]), end="")
    TAG       SIZE
    latest    5MB
    """
    columns = list(zip(header, *rows, strict=True))
    if left_out is not None:
        del columns[left_out]
    widths = [max(LEAST, max(map(len, column)) + PADDING) for column in columns[:-1]]
    line = "".join(f"%-{width}s" for width in widths) + "%s\n"
    return "".join([line % cells for cells in zip(*columns, strict=True)])


def tabulated(records: Iterable[str]) -> str:
    r"""Return texts whose lines have tabs between their cells with the cells in columns.

    As in Go's tabwriter, a column is as wide as its widest cell among lines that follow each
    other; what follows the last tab of a line takes no part.

    >>> print(tabulated(["TAG\tSIZE", "latest\t5MB"]), end="")
    TAG       SIZE
    latest    5MB
    """
    lines = [line.split("\t") for record in records for line in record.split("\n")]
    for column in range(max((len(cells) for cells in lines), default=0) - 1):
        for has_column, run in groupby(lines, lambda cells: len(cells) > column + 1):  # noqa: B023
            if has_column:
                _set_column(list(run), column)
    return "".join([f"{''.join(cells)}\n" for cells in lines])


def _set_column(lines: list[list[str]], column: int) -> None:
    width = max(LEAST, max(len(cells[column]) for cells in lines) + PADDING)
    for cells in lines:
        cells[column] = cells[column].ljust(width)
