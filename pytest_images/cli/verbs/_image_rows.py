"""The lines of `ls` as templates see them: each field is computed when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pytest_images.cli.formats import Row, formatted
from pytest_images.cli.units import go_time, human_size, now, since

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.verbs.ls import Row as Line

UNKNOWN = "N/A"
DIGEST = "{{.Digest}}"  # written just so, it asks for a line for each digest
_RAW = (
    "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\n"
    "created_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n"
)


class ImageRow(Row):
    """One name of an image."""

    __slots__ = ("digest", "id", "image", "moment", "repository", "tag")
    go_type = "formatter.imageContext"
    headers: ClassVar[Mapping[str, str]] = {
        "ID": "IMAGE ID",
        "Repository": "REPOSITORY",
        "Tag": "TAG",
        "Digest": "DIGEST",
        "CreatedSince": "CREATED",
        "CreatedAt": "CREATED AT",
        "Size": "SIZE",
        "Containers": "CONTAINERS",
        "VirtualSize": "SIZE",
        "SharedSize": "SHARED SIZE",
        "UniqueSize": "UNIQUE SIZE",
    }
    go_fields: ClassVar[Mapping[str, Callable[[Any], object]]] = {
        "ID": lambda row: row.id,
        "Repository": lambda row: row.repository,
        "Tag": lambda row: row.tag,
        "Digest": lambda row: row.digest,
        "CreatedSince": lambda row: since(row.image.created, row.moment),
        "CreatedAt": lambda row: go_time(row.image.created),
        "Size": lambda row: _size(row, 3),
        "Containers": lambda _: UNKNOWN,
        "VirtualSize": lambda row: _size(row, 4),
        "SharedSize": lambda _: UNKNOWN,
        "UniqueSize": lambda _: UNKNOWN,
    }

    def __init__(self, line: Line, shown_id: str, moment: datetime) -> None:
        self.image, self.repository, self.tag, self.digest = line
        self.id, self.moment = shown_id, moment


def _size(row: ImageRow, digits: int) -> str:
    size = row.image.size
    return UNKNOWN if size is None else human_size(size, digits)


def written(lines: Iterable[Line], parsed: Parsed) -> str:
    """Return *lines* as ``--format`` says. Raises InvalidTemplate, LimitExceeded."""
    moment, whole = now(), parsed.flag("no-trunc")
    rows = (
        ImageRow(line, str(line.image.id) if whole else line.image.id.encoded[:12], moment)
        for line in lines
    )
    return formatted(_wanted(parsed), ImageRow, rows)


def _wanted(parsed: Parsed) -> str:
    """Return the format, with what ``--digests`` and ``--quiet`` make of it."""
    wanted, digests = parsed.text("format"), parsed.flag("digests")
    if wanted == "raw":
        if parsed.flag("quiet"):
            return "image_id: {{.ID}}"
        return _RAW.replace("image_id", f"digest: {DIGEST}\nimage_id") if digests else _RAW
    if wanted.startswith("table") and digests and DIGEST not in wanted:
        wanted += f"\t{DIGEST}"
    return wanted
