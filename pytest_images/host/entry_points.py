"""Installed plugins, found by reading ``entry_points.txt`` files as they are.

``importlib.metadata`` would do it too, for 40 ms of imports; this takes about one (it reads
a file a distribution, parses only those that name our group, and keeps no cache that could
be stale). Distributions inside zip files are not seen.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pytest_images.errors import HookError
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GROUP = "pytest_images"
DISABLE = "PYTEST_IMAGES_DISABLE_PLUGIN_AUTOLOAD"
_SUFFIXES = (".dist-info", ".egg-info")
_FILE_LIMIT = 1 << 20  # bytes; more is no entry_points.txt


class EntryPoint(NamedTuple):
    """One installed plugin: its *name*, its *target* (``module:attribute``), who brings it."""

    name: str
    target: str
    distribution: str

    def load(self) -> object:
        """Import the plugin; a class is called to make one. Raises HookError."""
        import importlib

        module, _, attribute = self.target.partition(":")
        try:
            plugin: object = importlib.import_module(module.strip())
            for part in filter(None, attribute.strip().split(".")):
                plugin = getattr(plugin, part)
            return plugin() if isinstance(plugin, type) else plugin
        except Exception as error:
            raise self._cannot_be_loaded(error) from error

    def _cannot_be_loaded(self, error: Exception) -> HookError:
        reason = f"{self.target} cannot be loaded: {type(error).__name__}: {error}"
        refusal = HookError("entry point", reason, [f"{self.name} of {self.distribution}"])
        refusal.add_note(f"{DISABLE}=1 leaves installed plugins out")
        return refusal


def installed(path: Sequence[str] | None = None) -> tuple[EntryPoint, ...]:
    """Give the entry points of our group of all distributions on *path* (``sys.path``).

    The first distribution of a name wins, as for imports. The order is by name.
    """
    seen: set[str] = set()
    found: list[EntryPoint] = []
    for folder in dict.fromkeys(sys.path if path is None else path):
        for distribution, file in _metadata(folder or "."):
            key = distribution.lower().replace("_", "-").replace(".", "-")
            if key not in seen:
                seen.add(key)
                found.extend(_read(distribution, file))
    return tuple(sorted(found, key=lambda point: (point.name, point.distribution)))


def _metadata(folder: str) -> Iterator[tuple[str, str]]:
    """Give each distribution in *folder* with the place of its entry points."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - half the time of Path.iterdir
    except OSError:
        return
    for name in names:
        if name.endswith(_SUFFIXES):
            yield name.partition("-")[0], f"{folder}/{name}/entry_points.txt"


def _read(distribution: str, file: str) -> Iterator[EntryPoint]:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # most distributions have none
        return
    try:
        raw = b"".join(iter(lambda: os.read(descriptor, _FILE_LIMIT), b""))
    finally:
        os.close(descriptor)
    if f"[{GROUP}]".encode() in raw:
        yield from _parse(distribution, raw.decode("utf-8", "replace"))


def _parse(distribution: str, text: str) -> Iterator[EntryPoint]:
    """Read the lines ``name = target`` of our section (entry-points specification of PyPA)."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == GROUP and line and line[0] not in "#;":
            name, equals, target = line.partition("=")
            if equals:
                yield EntryPoint(name.strip(), target.partition("[")[0].strip(), distribution)
