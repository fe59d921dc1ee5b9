"""Text with tabs set in columns as Go's tabwriter does: for cells that hold anything.

`table` does the same, faster, for cells without tabs and line breaks. Here a column is a run
of lines that all have a tab in that place: a line without one ends it.
"""

from __future__ import annotations

from itertools import groupby

LEAST = 10  # characters of a column
PADDING = 3  # characters between columns


def tabulated(text: str) -> str:
    r"""Return *text* with each tab replaced by the spaces that align its column.

    >>> print(tabulated("TAG\tSIZE\nlatest\t5MB\n"), end="")
    TAG       SIZE
    latest    5MB
    """
    lines = [line.split("\t") for line in text.split("\n")]
    return "\n".join(_set(lines, 0))


def _set(lines: list[list[str]], column: int) -> list[str]:
    """Return *lines* from *column* on, each run of those that have the column aligned."""
    done: list[str] = []
    for has_column, run in groupby(lines, key=lambda cells: len(cells) > column + 1):
        block = list(run)
        if not has_column:
            done += [cells[column] if len(cells) > column else "" for cells in block]
            continue
        width = max(LEAST, *(len(cells[column]) + PADDING for cells in block))
        rest = _set(block, column + 1)
        done += [cells[column].ljust(width) + tail for cells, tail in zip(block, rest, strict=True)]
    return done
