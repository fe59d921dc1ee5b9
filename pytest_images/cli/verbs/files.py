"""`files`: what is inside an image, listed without running it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_images.cli.options import Command, Option, invalid_value
from pytest_images.cli.terminal import json_text, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings
    from pytest_images.layer.files import Files, ImagePath

FORMAT = Option("format", "'json': Print one JSON object a line", kind="string")
PLATFORM = Option(
    "platform",
    'Look into the given platform variant. Formatted as "os[/arch[/variant]]" '
    '(e.g., "linux/amd64")',
    kind="string",
)
COMMAND = Command(
    "files",
    "IMAGE [PATH]",
    (
        FORMAT,
        Option("layers", "Say which layers hold PATH or take it away, the lowest first"),
        Option("long", "Show kind, mode, owner, size, time and a link's target", short="l"),
        PLATFORM,
        Option("recursive", "List everything below, as whole paths", short="R"),
    ),
    least=1,
    most=2,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Print a line for each file, or for each layer that says something of the path."""
    wanted = parsed.text("format")
    if wanted not in ("", "json"):
        raise invalid_value(COMMAND, FORMAT, wanted, "it is not json")
    image, path = [*parsed.arguments, ""][:2]
    with settings.door() as images:
        files = images.files(image, platform=parsed.text("platform") or None)
        if parsed.flag("layers"):
            lines = _layers(files, path, as_json=bool(wanted))
        else:
            lines = _listing(files / path, parsed)
        for line in lines:
            print(line)
    return 0


def _listing(path: ImagePath, parsed: Parsed) -> Iterator[str]:
    whole = parsed.flag("recursive") or not path.is_dir()
    for found in _found(path, recursive=parsed.flag("recursive")):
        if parsed.has("format"):
            yield json_text(_facts(found))
            continue
        name = plain(str(found) if whole else found.name)
        yield _long(found, name) if parsed.flag("long") else name


def _found(path: ImagePath, *, recursive: bool) -> Iterable[ImagePath]:
    if not path.is_dir():
        path.lstat()  # raises where there is nothing
        return [path]
    return _below(path) if recursive else path.iterdir()


def _below(path: ImagePath) -> Iterator[ImagePath]:
    for top, folders, names in path.walk():
        for name in sorted([*folders, *names]):
            yield top / name


def _long(path: ImagePath, name: str) -> str:
    stat = path.lstat()
    target = f" -> {plain(stat.target)}" if stat.target else ""
    owners = f"{stat.uid:5} {stat.gid:5}"
    return f"{stat.filemode} {owners} {stat.size:11} {_moment(stat.mtime)} {name}{target}"


def _moment(mtime: float) -> str:
    """Return a time as ``ls`` does, in UTC; a year that no calendar has as the bare number."""
    try:
        return datetime.fromtimestamp(mtime, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return f"{mtime:.0f}"


def _facts(path: ImagePath) -> dict[str, Any]:
    stat = path.lstat()
    return {
        "path": str(path),
        "kind": stat.kind,
        "mode": f"{stat.mode:04o}",
        "uid": stat.uid,
        "gid": stat.gid,
        "size": stat.size,
        "mtime": stat.mtime,
        "target": stat.target,
        "layer": stat.layer,
    }


def _layers(files: Files, path: str, *, as_json: bool) -> Iterator[str]:
    found = files.in_layers(path) or files.in_layers(str((files / path).resolve()))
    for number, change in found:
        digest = files.layers[number].digest
        if as_json:
            yield json_text({"layer": number, "digest": str(digest), "change": change})
        else:
            yield f"{number:3} {digest.short} {change}"
