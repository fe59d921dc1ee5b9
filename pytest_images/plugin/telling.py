"""What a run tells at its end: the summary, the slowest work, and a report as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest

    from pytest_images.plugin.ending import Ended
    from pytest_images.plugin.settings import Settings
    from pytest_images.policies.journal import Deed

VERSION = 1  # of the JSON report
_TIMED = ("pull", "build", "load", "import")


def tell(reporter: pytest.TerminalReporter, ended: Ended, settings: Settings, run: str) -> None:
    """Write the summary of a run, and its report where one is wanted."""
    if settings.durations is not None:
        reporter.section("slowest images")
        for line in slowest(ended.deeds, settings.durations):
            reporter.write_line(line)
    if str(ended.counts):
        reporter.write_line(f"images: {ended.counts}")
    if ended.counts.kept:
        reporter.write_line(f"images: kept {', '.join(sorted(ended.counts.kept))}")
    for name, change in sorted(ended.locked.items()):
        reporter.write_line(f"images.lock: {name}: {change}")
    if ended.trouble:
        reporter.write_line(f"images: not cleaned: {ended.trouble}", red=True)
    if settings.report:
        try:
            write_report(settings.report, run, settings.engine or "embedded", ended)
        except OSError as error:
            reporter.write_line(f"images: no report: {error}", red=True)


def slowest(deeds: Sequence[Deed], count: int) -> Iterator[str]:
    """Give a line for each of the *count* slowest pieces of work, 0: for all."""
    timed = sorted((d for d in deeds if d.verb in _TIMED), key=lambda d: -d.seconds)
    for deed in timed[: count or None]:
        failed = "  failed" if deed.error else ""
        yield f"{deed.seconds:.2f}s {deed.verb:<6} {_what(deed)}{failed}"


def _what(deed: Deed) -> str:
    """Return what a deed was about; an image without a name is told by who wanted it."""
    what = deed.subject or ", ".join(deed.names)
    is_nameless = what.startswith("sha256:") and deed.owner
    return f"{what[7:19]} for {deed.owner}" if is_nameless else what


def write_report(path: str, run: str, engine: str, ended: Ended) -> None:
    """Write the report of a run, whole or not at all. Raises OSError."""
    document: dict[str, Any] = {
        "version": VERSION,
        "run": run,
        "engine": engine,
        "summary": ended.counts.to_plain(),
        "operations": [deed.to_plain() for deed in ended.deeds],
        "locked": ended.locked,
        "trouble": ended.trouble,
    }
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{run}")
    fresh.write_text(json.dumps(document, indent=1) + "\n")
    fresh.replace(target)
