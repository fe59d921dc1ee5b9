"""Output made comparable: only what is random, timed or named after the program is replaced."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta

from tests.differential.images import known_digests

_KNOWN = known_digests()
_KNOWN_SHORT = {encoded[:12] for encoded in _KNOWN}
_HEX = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{12})(?![0-9a-f])")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]\d\d:\d\d:\d\d(?:\.\d+)?")
_AGO = re.compile(r"(?:Less than a second|1 second|\d+ seconds|About a minute) ago")
_LAYER_LINE = re.compile(r"^([0-9a-f]{12}): (.+)$")
# States that an engine says or not, as fast as the layer happens to be: of a transfer's states it
# passes on the last one alone to who listens slowly.
_FLEETING = ("Verifying Checksum", "Waiting", "Downloading", "Download complete", "Extracting")


def normal(text: str, registry: str) -> str:
    """Return *text* with the side's registry, the time of the test and random IDs replaced."""
    text = text.replace(registry, "registry.test")
    text = _moments(text)
    return _names_sorted(_grouped(_numbered(text)))


def _moments(text: str) -> str:
    """Replace the present; a column as wide as it is given the width of one blank."""
    today = datetime.now(UTC).date()
    present = {str(today + timedelta(days)) for days in (-1, 0, 1)}
    found = _MOMENT.sub(lambda m: "NOW" if m[1] in present else m[0], text)
    ago, count = _AGO.subn("NOW ago", found)
    return re.sub(" {3,}", "   ", ago) if count else found


def _numbered(text: str) -> str:
    """Name IDs that differ from run to run by the order in which they come."""
    names: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        encoded = match[0]
        if encoded in _KNOWN or encoded in _KNOWN_SHORT:
            return encoded
        number = names.setdefault(encoded[:12], f"random-{len(names) + 1}")
        return number if len(encoded) == 64 else f"{number}-short"

    return _HEX.sub(name, text)


def _grouped(text: str) -> str:
    """Put the lines of each layer together, in its own order: layers move at the same time."""
    lines = text.splitlines(keepends=True)
    layers: dict[str, list[str]] = {}
    out: list[str] = []
    for line in [*lines, ""]:
        if (match := _LAYER_LINE.match(line)) is not None:
            if match[2] not in _FLEETING:
                layers.setdefault(match[1], []).append(line)
            continue
        for layer in sorted(layers):
            out += layers[layer]
        layers.clear()
        out.append(line)
    return "".join(out)


def _names_sorted(text: str) -> str:
    """Sort neighbouring lines about one image or one prune: Docker keeps names in no order."""
    out: list[str] = []
    for _, lines in itertools.groupby(text.splitlines(keepends=True), _subject):
        out += sorted(lines)
    return "".join(out)


def _subject(line: str) -> str:
    for begin in ("Untagged: ", "Loaded image: "):
        if line.startswith(begin):
            return begin
    if line.startswith(("untagged: ", "deleted: ")):
        return "pruned"
    ids = _HEX.findall(line)
    return ids[-1] if ids and not _LAYER_LINE.match(line) else line
