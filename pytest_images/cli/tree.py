"""`ls --tree`: each image with the platforms of its index, those that are here and the others."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from pytest_images.cli.terminal import draws, watched
from pytest_images.cli.units import ellipsis, human_size
from pytest_images.errors import ImagesError, Unsupported
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings
    from pytest_images.images import Images
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.image import Image
    from pytest_images.model.inspection import Inspection
    from pytest_images.model.platform import Platform

UNTAGGED = "<untagged>"
UNKNOWN = "N/A"
WIDTH = 80  # columns, where the output is no terminal
HEADER = ("IMAGE", "ID", "DISK USAGE", "CONTENT SIZE")
GAP = "   "
BOLD, FAINT, BLUE, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[1m\x1b[34m", "\x1b[0m"
_ATTESTATION = "vnd.docker.reference.type"
_NOT_WITH_IT = ("quiet", "format", "digests")
_ID = 12  # hexadecimal digits


class Line(NamedTuple):
    """One line: a name or a platform, the image's ID, its sizes; whether it is here."""

    name: str
    id: str
    size: str = "0B"
    content: str = "0B"
    is_here: bool = True


def run_tree(parsed: Parsed, settings: Settings, filters: Sequence[tuple[str, str]]) -> int:
    """List the images as trees. Raises Unsupported for what does not go with it."""
    for option in filter(parsed.has, _NOT_WITH_IT):
        raise Unsupported(f"--{option} with --tree", "the tree has one form")
    pattern = parsed.arguments[0] if parsed.arguments else None
    is_whole = parsed.flag("no-trunc")
    with settings.door() as images:
        found = images.ls(pattern, filters=filters, all=parsed.flag("all"))
        trees = [
            _tree(images, image, is_whole=is_whole)
            for image in found
            if image.tags or image.digests or parsed.flag("all")
        ]
    print(_drawn(trees, is_whole=is_whole), end="")
    return 0


def _tree(images: Images, image: Image, *, is_whole: bool) -> list[Line]:
    """Return the lines of one image: its names, the last with what it is, and its platforms."""
    inspection = images.inspect(image.id)
    names = sorted((name.familiar for name in image.tags), key=len, reverse=True) or [UNTAGGED]
    entries = [] if inspection.index is None else inspection.index.manifests
    children = [
        _child(images, image, entry.platform, entry, is_whole=is_whole)
        for entry in entries
        if entry.platform is not None and _ATTESTATION not in entry.annotations
    ]
    own = _line("", inspection, is_whole=is_whole)
    if not children:
        children = [own._replace(name=str(image.platform))]
    marks = ["├─"] * (len(children) - 1) + ["└─"]
    return [
        *(Line(name, "", "", "") for name in names[:-1]),
        own._replace(name=names[-1]),
        *(
            child._replace(name=f"{mark} {child.name}")
            for mark, child in zip(marks, children, strict=True)
        ),
    ]


def _child(
    images: Images, image: Image, platform: Platform, entry: Descriptor, *, is_whole: bool
) -> Line:
    """Return the line of one platform; of what is not here the manifest's digest is known."""
    try:
        inspection = images.inspect(image.id, platform=platform)
    except ImagesError:
        shown = str(entry.digest) if is_whole else entry.digest.short
        return Line(str(platform), shown, is_here=False)
    return _line(str(platform), inspection, is_whole=is_whole)


def _line(name: str, inspection: Inspection, *, is_whole: bool) -> Line:
    image, manifest = inspection.image, inspection.manifest
    content = len(manifest.raw) + manifest.config.size + sum(part.size for part in manifest.layers)
    return Line(
        name,
        str(image.id) if is_whole else image.id.short,
        UNKNOWN if image.size is None else human_size(image.size, 3),
        human_size(content, 3),
    )


def _drawn(trees: Iterable[list[Line]], *, is_whole: bool) -> str:
    """Set the lines in columns: names cut to what the terminal has room for, numbers right."""
    blocks = list(trees)
    lines = [line for block in blocks for line in block]
    ids = max(_ID, *(len(line.id) for line in lines)) if lines else _ID
    others = (ids, len(HEADER[2]), len(HEADER[3]))
    room = _columns() - sum(others) - len(GAP) * 3
    longest = max(len(line.name) for line in (Line(*HEADER), *lines))
    width = longest if is_whole else max(len(HEADER[0]), min(longest, room))
    has_colour = draws()
    text = _styled(_set(Line(*HEADER), width, others), BOLD, has_colour=has_colour) + "\n"
    for block in blocks:
        for line in block:
            style = BLUE if line.name[0] not in "├└<" else "" if line.is_here else FAINT
            text += _styled(_set(line, width, others), style, has_colour=has_colour) + "\n"
        text += "\n"
    return text


def _set(line: Line, width: int, others: Sequence[int]) -> str:
    cells = (
        ellipsis(line.name, width).ljust(width),
        line.id.ljust(others[0]),
        line.size.rjust(others[1]),
        line.content.rjust(others[2]),
    )
    return GAP.join(cells).rstrip()


def _styled(text: str, style: str, *, has_colour: bool) -> str:
    return f"{style}{text}{PLAIN}" if style and has_colour else text


def _columns() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns if watched(sys.stdout) else WIDTH
