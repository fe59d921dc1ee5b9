r"""``--format`` of what lists: ``table``, ``table TEMPLATE``, ``json`` or TEMPLATE.

As Docker does it: ``\t`` and ``\n`` may be written out, a table has a line of headers and
columns, each line is followed by a newline, and a template that fails prints no line at all.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_images.errors import InvalidTemplate
from pytest_images.regex import regex
from pytest_images.template.template import Template
from pytest_images.template.values import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

TABLE, JSON = "table", "json"
_BROKEN = regex("[\ud800-\udfff]+")  # bytes, or halves of characters, that are no text


class Row(Struct):
    """A line of a list: a subclass names its fields in ``go_fields``, their headers in ``headers``.

    Its ``go_type`` is what errors call it; as JSON it is an object of all its fields.
    """

    __slots__ = ()
    go_pointer = True
    headers: ClassVar[Mapping[str, str]]

    def go_json_text(self) -> str:
        """Return the fields as JSON, sorted by name."""
        from pytest_images.cli.terminal import go_json

        return go_json({name: getter(self) for name, getter in sorted(self.go_fields.items())})


def rows_of(
    go_type: str, headers: Mapping[str, str], lines: Iterable[Mapping[str, str]]
) -> tuple[type[Row], Iterable[Row]]:
    """Return *lines* that hold all their fields by name as rows, and the kind of row they are."""

    class Line(Row):
        __slots__ = ("fields",)
        go_fields = {name: _getter(name) for name in headers}  # noqa: RUF012 - never changed

        def __init__(self, fields: Mapping[str, str]) -> None:
            self.fields = fields

    Line.go_type, Line.headers = go_type, headers
    return Line, map(Line, lines)


def _getter(name: str) -> Callable[[Any], object]:
    return lambda row: row.fields[name]


def formatted(wanted: str, kind: type[Row], rows: Iterable[Row]) -> str:
    """Return *rows*, all of one *kind*, as the format *wanted* says.

    Raises InvalidTemplate, LimitExceeded.
    """
    is_table = wanted.startswith(TABLE)
    text = "{{json .}}" if wanted == JSON else wanted[len(TABLE) :] if is_table else wanted
    template = Template.parse(text.strip(" ").replace("\\t", "\t").replace("\\n", "\n"))
    try:
        lines = template.render_lines(rows)
    except InvalidTemplate as error:
        error.add_note(f"The fields are {' '.join(f'.{name}' for name in kind.go_fields)}.")
        raise
    if not is_table:
        return lines
    from pytest_images.cli.tabwriter import tabulated

    return tabulated(f"{template.render_headers(kind.headers)}\n{lines}")


def show(text: str) -> None:
    """Print what a template made: for a program as it is, for a person without control codes."""
    from pytest_images.cli.terminal import plain, watched

    if not text.isascii():
        text = _BROKEN.sub("\ufffd", text)
    print(plain(text) if watched(sys.stdout) else text, end="")
