"""Columns of text as Go's tabwriter sets them: cells padded by three, columns ten wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST = 10  # characters of a column
PADDING = 3  # characters between columns


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return *header* and *rows* as lines; the last column is not padded.

    >>> print(table(("TAG", "SIZE"), [("latest", "5MB")]), end="")
    TAG       SIZE
    latest    5MB
    """
    return in_columns(list(zip(header, *rows, strict=True)))


def in_columns(columns: Sequence[Sequence[str]]) -> str:
    """Return lines as `table` does, of *columns* that begin with their headers."""
    widths = [max(LEAST, max(map(len, column)) + PADDING) for column in columns[:-1]]
    line = "".join(f"%-{width}s" for width in widths) + "%s\n"
    return "".join([line % cells for cells in zip(*columns, strict=True)])
