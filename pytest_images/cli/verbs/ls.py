"""`ls`: the images that are here, a line a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.filters import filter_option, filters_of
from pytest_images.cli.options import FORMAT_HELP, Command, Option, Parsed
from pytest_images.cli.units import go_time, human_size, now, since
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pytest_images.cli.settings import Settings
    from pytest_images.model.image import Image
    from pytest_images.model.reference import Reference

NONE = "<none>"
UNKNOWN = "N/A"
FILTER = filter_option("Filter output based on conditions provided", short="f")
COMMAND = Command(
    "ls",
    "[REPOSITORY[:TAG]]",
    (
        Option("all", "Show all images (there are no intermediate images to hide)", short="a"),
        Option("digests", "Show digests"),
        FILTER,
        Option("format", FORMAT_HELP, kind="string"),
        Option("no-trunc", "Don't truncate output"),
        Option("quiet", "Only show image IDs", short="q"),
        Option("tree", "List multi-platform images as a tree"),
    ),
    most=1,
)


class Row(NamedTuple):
    """One line: a name of an image, or the image that has none."""

    image: Image
    repository: str
    tag: str
    digest: str


def run(parsed: Parsed, settings: Settings) -> int:
    """List the images."""
    if parsed.flag("tree"):
        from pytest_images.cli.tree import run_tree

        return run_tree(parsed, settings, filters_of(parsed, COMMAND, FILTER))
    shape, filters = _shape(parsed), filters_of(parsed, COMMAND, FILTER)
    pattern = parsed.arguments[0] if parsed.arguments else None
    with settings.door() as images:
        sizes = _wants_sizes(parsed, shape)
        found = images.ls(pattern, filters=filters, all=parsed.flag("all"), sizes=sizes)
    digests = parsed.flag("digests") or "{{.Digest}}" in parsed.text("format")
    lines = listed(found, digests=digests)
    if shape == "template":
        return _template(lines, parsed)
    write = {"quiet": _ids, "json": _json, "table": _table}[shape]
    print(write(lines, parsed), end="")
    return 0


def _template(lines: list[Row], parsed: Parsed) -> int:
    from pytest_images.cli.formats import show
    from pytest_images.cli.verbs._image_rows import written

    show(written(lines, parsed))
    return 0


def listed(found: Iterable[Image], *, digests: bool) -> list[Row]:
    """Return a line for each name of each image, and for each image that has none."""
    lines: list[Row] = []
    names: dict[tuple[str, str], str] = {}  # of 10,000 images many share a repository
    for image in found:
        if image.digests or not image.tags:
            lines += _with_digests(image, digests=digests)
            continue
        for tag in image.tags:
            key = (tag.registry, tag.repository)
            repository = names.get(key) or names.setdefault(key, tag.familiar_name)
            lines.append(Row._make((image, repository, tag.tag or NONE, NONE)))
    return lines


def _with_digests(image: Image, *, digests: bool) -> Iterator[Row]:
    """Yield a line for each tag of *image*, then for each repository known by digest only."""
    pinned = _by_repository(image.digests)
    for tag in image.tags:
        known = pinned.get(tag.familiar_name, ()) if digests else ()
        for digest in known or (NONE,):
            yield Row(image, tag.familiar_name, tag.tag or NONE, digest)
    tagged = {tag.familiar_name for tag in image.tags}
    for repository in [name for name in pinned if name not in tagged]:
        for digest in pinned[repository] if digests else (NONE,):
            yield Row(image, repository, NONE, digest)
    if not image.tags and not pinned:
        yield Row(image, NONE, NONE, NONE)


def _by_repository(references: Iterable[Reference]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for reference in references:
        found.setdefault(reference.familiar_name, []).append(str(reference.digest))
    return found


def _shape(parsed: Parsed) -> str:
    """Say how to show the list: ``quiet``, ``json``, ``table`` or ``template``."""
    wanted = parsed.text("format") or "table"
    if wanted == "table":
        return "quiet" if parsed.flag("quiet") else "table"
    return "json" if wanted == "json" else "template"


def _wants_sizes(parsed: Parsed, shape: str) -> bool:
    """Whether what is shown holds a size: to know it, layers may have to be read."""
    if shape != "template":
        return shape != "quiet"
    return any(word in parsed.text("format") for word in ("Size", "json", "raw"))


def _id(image: Image, parsed: Parsed) -> str:
    return str(image.id) if parsed.flag("no-trunc") else image.id.encoded[:12]


def _ids(lines: list[Row], parsed: Parsed) -> str:
    return "".join([f"{_id(row.image, parsed)}\n" for row in lines])


def _table(lines: list[Row], parsed: Parsed) -> str:
    """Set the columns, made one after the other: a tuple for each of 10,000 lines costs more."""
    from pytest_images.cli.table import in_columns

    images, repositories, tags, digests = zip(*lines, strict=True) if lines else ((),) * 4
    whole = parsed.flag("no-trunc")
    columns = [
        ["REPOSITORY", *repositories],
        ["TAG", *tags],
        ["DIGEST", *digests],
        ["IMAGE ID", *[str(each.id) if whole else each.id.encoded[:12] for each in images]],
        ["CREATED", *_ages(images)],
        ["SIZE", *[_size(each, 3) for each in images]],
    ]
    if not parsed.flag("digests"):
        del columns[2]
    return in_columns(columns)


def _ages(images: Iterable[Image]) -> Iterator[str]:
    """Yield how old each image is: in a list by age, many are as old as the one before."""
    moment, created, age = now(), None, UNKNOWN
    for image in images:
        if image.created is not created:
            created = image.created
            age = since(created, moment) or UNKNOWN
        yield age


def _json(lines: list[Row], parsed: Parsed) -> str:
    moment = now()
    return "".join([_json_line(row, _id(row.image, parsed), moment) for row in lines])


def _json_line(row: Row, shown_id: str, moment: datetime) -> str:
    """Return one object with the fields, the order and the escapes of Docker's."""
    from pytest_images.cli.terminal import json_text

    document = {
        "Containers": UNKNOWN,
        "CreatedAt": go_time(row.image.created),
        "CreatedSince": since(row.image.created, moment),
        "Digest": row.digest,
        "ID": shown_id,
        "Repository": row.repository,
        "SharedSize": UNKNOWN,
        "Size": _size(row.image, 3),
        "Tag": row.tag,
        "UniqueSize": UNKNOWN,
        "VirtualSize": _size(row.image, 4),
    }
    text = json_text(document)
    return text.replace("<", "\\u003c").replace(">", "\\u003e") + "\n"


def _size(image: Image, digits: int) -> str:
    return UNKNOWN if image.size is None else human_size(image.size, digits)
