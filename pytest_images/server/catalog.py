"""The names of all repositories, in ASCII order, without reading more than a page needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.server.shelf import BLOBS, MANIFESTS, TAGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OWN = frozenset({BLOBS, MANIFESTS, TAGS})


def repositories(folder: Path, last: str = "", prefix: str = "") -> Iterator[str]:
    """Yield the names after *last* of the repositories below *folder* that have a manifest.

    ``a-b`` comes between ``a`` and ``a/b``; so a folder stands in the order twice, once as a
    repository of its own and once, with its slash, for those below it.
    """
    steps = []
    for name in _folders(folder):
        steps += [f"{prefix}{name}", f"{prefix}{name}/"]
    for step in sorted(steps):
        if step.endswith("/"):
            if step > last or last.startswith(step):
                below = folder / step[len(prefix) : -1]
                yield from repositories(below, last, step)
        elif step > last and (folder / step[len(prefix) :] / MANIFESTS).is_dir():
            yield step


def everything(folder: Path, name: str) -> Iterator[str]:
    """Yield the repository *name* and all below it that have anything at all."""
    place = folder / name
    if any((place / kind).is_dir() for kind in _OWN):
        yield name
    for part in _folders(place):
        yield from everything(folder, f"{name}/{part}")


def _folders(folder: Path) -> list[str]:
    try:
        names = [entry.name for entry in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in names if name not in _OWN]
