"""What an image is, as lines of text: its settings, and every file of its file system."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pytest_images.layer.member import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_images.images import Images
    from pytest_images.layer.files import Files, ImagePath

SETTINGS = (
    *("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "ExposedPorts", "Volumes", "Labels"),
    *("StopSignal", "Shell", "OnBuild", "Healthcheck"),
)
_SHOWN = 60  # bytes of a file that are shown as they are
_DEVICES = {Kind.CHARACTER, Kind.BLOCK}


def gist(images: Images, name: str) -> list[str]:
    """Return the lines of the image *name*: settings first, then files by their path."""
    config = images.config(name)
    found = settings(config.document.get("config") or {}, config.author)
    return [*found, *_below(images.files(name))]


def changes(base: list[str], lines: list[str]) -> list[str]:
    """Return the lines that *base* does not have, and those it has alone after a minus."""
    gone = [f"- {line}" for line in base if line not in set(lines)]
    return gone + [line for line in lines if line not in set(base)]


def settings(found: Mapping[str, Any], author: str = "") -> Iterator[str]:
    """Yield the lines of an image's settings."""
    if author:
        yield f"author {author}"
    for name in SETTINGS:
        if found.get(name) and (name, found[name]) != ("WorkingDir", "/"):  # as if it was not said
            yield f"{name} {json.dumps(found[name], sort_keys=True, ensure_ascii=False)}"


def _below(folder: Files | ImagePath) -> Iterator[str]:
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        yield _line(path)
        if Kind(path.lstat().kind) is Kind.DIRECTORY:
            yield from _below(path)


def _line(path: ImagePath) -> str:
    info = path.lstat()
    kind = Kind(info.kind)
    words = [f"/{'/'.join(path.parts)}", kind.value, f"{info.uid}:{info.gid}"]
    if kind is Kind.SYMLINK:
        return " ".join([*words, "->", info.target])
    words.insert(2, f"{info.mode:04o}")
    if kind is Kind.FILE:
        content = path.read_bytes()
        known = f"{len(content)} bytes, {hashlib.sha256(content).hexdigest()[:12]}"
        words.append(known if len(content) > _SHOWN else _text(content))
    words += [f"{name}={value!r}" for name, value in sorted(info.xattrs.items())]
    return " ".join(words)


def _text(content: bytes) -> str:
    return json.dumps(content.decode("ascii", "backslashreplace"))
