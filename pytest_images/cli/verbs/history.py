"""`history`: how an image was made, newest step first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_images.cli.options import FORMAT_HELP, Command, Option
from pytest_images.cli.tabwriter import tabulated
from pytest_images.cli.terminal import go_json, plain
from pytest_images.cli.units import ellipsis, human_size, local, now, since

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings
    from pytest_images.model.image import HistoryLine

MISSING = "<missing>"
UNKNOWN = "N/A"
WIDTH = 45  # columns of CREATED BY that are shown
GO_ZERO = "0001-01-01T00:00:00Z"  # what Docker shows where a time is missing
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)  # what is older is no time that something was made
COMMAND = Command(
    "history",
    "IMAGE",
    (
        Option("format", FORMAT_HELP, kind="string"),
        Option("human", "Print sizes and dates in human readable format (default true)", short="H"),
        Option("no-trunc", "Don't truncate output"),
        Option(
            "platform",
            'Show history for the given platform. Formatted as "os[/arch[/variant]]" '
            '(e.g., "linux/amd64")',
            kind="string",
        ),
        Option("quiet", "Only show image IDs", short="q"),
    ),
    least=1,
    most=1,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Print a line for each step."""
    write = _writer(parsed)
    with settings.door() as images:
        lines = images.history(parsed.arguments[0], platform=parsed.text("platform") or None)
    shape = _Shape(parsed)
    print(write([shape.fields(line) for line in lines], shape), end="")
    return 0


class _Shape:
    """How each field is shown, as the options have it."""

    def __init__(self, parsed: Parsed) -> None:
        self.human = parsed.flag("human") or not parsed.has("human")
        self._whole = parsed.flag("no-trunc")
        self._now = now()

    def fields(self, line: HistoryLine) -> dict[str, str]:
        """Return the fields of one step, as templates and JSON name them."""
        created = _moment(line.created)
        created_at = GO_ZERO if created is None else _rfc3339(created)
        return {
            "Comment": line.comment,
            "CreatedAt": created_at,
            "CreatedBy": self._created_by(line.created_by.replace("\t", " ")),
            "CreatedSince": self._since(created) if self.human else created_at,
            "ID": self._id(line),
            "Size": self._size(line.size),
        }

    def _created_by(self, text: str) -> str:
        return text if self._whole else ellipsis(text, WIDTH)

    def _since(self, created: datetime | None) -> str:
        return UNKNOWN if created is None or created <= _OLDEST else since(created, self._now)

    def _id(self, line: HistoryLine) -> str:
        if line.id is None:
            return MISSING
        return str(line.id) if self._whole else line.id.encoded[:12]

    def _size(self, size: int | None) -> str:
        if size is None:
            return UNKNOWN
        return human_size(size, 3) if self.human else str(size)


def _writer(parsed: Parsed) -> Callable[[list[dict[str, str]], _Shape], str]:
    """Return what writes the lines."""
    wanted = parsed.text("format") or "table"
    if wanted == "json":
        return _json
    if wanted != "table":
        return lambda lines, _: _by_template(wanted, lines)
    return _ids if parsed.flag("quiet") else _table


def _ids(lines: list[dict[str, str]], shape: _Shape) -> str:
    return "".join(f"{line['ID']}\n" for line in lines)


def _json(lines: list[dict[str, str]], shape: _Shape) -> str:
    return "".join(f"{go_json(line)}\n" for line in lines)


def _table(lines: list[dict[str, str]], shape: _Shape) -> str:
    created = "CREATED" if shape.human else "CREATED AT"
    rows = [["IMAGE", created, "CREATED BY", "SIZE", "COMMENT"]]
    keys = ("ID", "CreatedSince", "CreatedBy", "Size", "Comment")
    rows += [[plain(line[key]) for key in keys] for line in lines]
    return tabulated("".join("\t".join(row) + "\n" for row in rows))


def _by_template(wanted: str, lines: list[dict[str, str]]) -> str:
    from pytest_images.cli.formats import formatted, rows_of

    headers = {
        "ID": "IMAGE",
        "CreatedSince": "CREATED",
        "CreatedAt": "CREATED AT",
        "CreatedBy": "CREATED BY",
        "Size": "SIZE",
        "Comment": "COMMENT",
    }
    return formatted(wanted, *rows_of("image.historyContext", headers, lines))


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _rfc3339(moment: datetime) -> str:
    """Return *moment* to the second in the local zone, as Go's RFC 3339 has it."""
    text = local(moment).isoformat(timespec="seconds")[:25]
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
