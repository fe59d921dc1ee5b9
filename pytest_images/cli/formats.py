r"""``--format`` of what lists: ``table``, ``table TEMPLATE``, ``json`` or TEMPLATE.

As Docker does it: ``\t`` and ``\n`` may be written out, a table has a line of headers and
columns, each line is followed by a newline, and a template that fails prints no line at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_images.errors import InvalidTemplate
from pytest_images.template.template import Template
from pytest_images.template.values import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

TABLE, JSON = "table", "json"


class Row(Struct):
    """A line of a list: a subclass names its fields in ``go_fields``, its headers in ``headers``.

    Its ``go_type`` is what errors call it; by JSON it is an object of ``shown``, or of all fields.
    """

    __slots__ = ()
    go_pointer = True
    headers: dict[str, str]

    def go_json_text(self) -> str:
        """Return the row as JSON, its keys sorted and ``<`` and ``>`` escaped, as Go does."""
        from pytest_images.template.go_json import to_json

        fields = {name: getter(self) for name, getter in sorted(self.go_fields.items())}
        text = to_json(fields).replace("<", "\\u003c").replace(">", "\\u003e")
        return text.replace("&", "\\u0026")


def formatted(wanted: str, kind: type[Row], rows: Iterable[Row]) -> str:
    """Return *rows*, all of one *kind*, as the format *wanted* says.

    Raises InvalidTemplate, LimitExceeded.
    """
    is_table = wanted.startswith(TABLE)
    text = "{{json .}}" if wanted == JSON else wanted[len(TABLE) :] if is_table else wanted
    template = Template.parse(text.strip(" ").replace("\\t", "\t").replace("\\n", "\n"))
    try:
        lines = [template.render(row) for row in rows]
    except InvalidTemplate as error:
        error.add_note(f"Fields: {' '.join('.' + name for name in kind.go_fields)}")
        raise
    if not is_table:
        return "".join([f"{line}\n" for line in lines])
    from pytest_images.cli.table import tabulated

    return tabulated([template.render_headers(kind.headers), *lines])


def getters(names: dict[str, str]) -> dict[str, Any]:
    """Return fields that are attributes: the field's name to the attribute's."""
    from operator import attrgetter

    return {field: attrgetter(attribute) for field, attribute in names.items()}
