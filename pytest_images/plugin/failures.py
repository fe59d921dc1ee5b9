"""Reports of tests: what images a test depended on, and the logs of how those came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.errors import ImagesError
from pytest_images.plugin.needs import needs_of_one
from pytest_images.plugin.owners import FIXTURE, owner_of
from pytest_images.plugin.tracebacks import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set

    import pytest

    from pytest_images.plugin.settings import Settings
    from pytest_images.policies.journal import Deed
    from pytest_images.policies.report import Report

_LOGGED = ("pull", "build", "load", "import")
PROPERTY = "image"  # of the test in a JUnit report: a name of an image


def deeds(item: pytest.Item, call: pytest.CallInfo[None], report: Report | None) -> list[Deed]:
    """Return what a test depends on: done for itself, for its fixtures, for what it needs.

    The names of the images become properties of the test.
    """
    if report is None or (call.when == "teardown" and call.excinfo is None):
        return []
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    owners = {owner_of(one) for found in definitions.values() for one in found}
    owners.add(item.nodeid)
    needed = {str(need.reference) for need in needs_of_one(item)}
    found = [
        deed
        for deed in report.journal.deeds
        if deed.owner in owners or (deed.verb == "pull" and deed.subject in needed)
    ]
    properties = [(PROPERTY, name) for name in sorted(names(found))]
    item.user_properties += [one for one in properties if one not in item.user_properties]
    return found


def names(found: Sequence[Deed]) -> set[str]:
    """Return the names of the images."""
    return {name for deed in found for name in deed.names}


def sections(
    found: Sequence[Deed], call: pytest.CallInfo[None], text: str | None
) -> list[tuple[str, str]]:
    """Return the logs of pulls and builds, each with a title.

    That of a build that failed is the error's, which another process may have told; so are the
    lines of the Dockerfile, which *text* has where the error is shown as that.
    """
    error = None if call.excinfo is None else call.excinfo.value
    is_ours = isinstance(error, ImagesError)
    excerpt = getattr(error, "excerpt", "") if is_ours and text is None else ""
    log = getattr(error, "log", "") if is_ours else ""
    logged = [("The lines it is about", excerpt)] if excerpt else []
    logged += [("Log of the image's build", log)] if log else []
    return logged + _logs(deed for deed in found if not (log and deed.verb == "build"))


def _logs(found: Iterable[Deed]) -> list[tuple[str, str]]:
    logged = []
    for deed in found:
        if deed.verb in _LOGGED and deed.log:
            title = " ".join(filter(None, ("images:", deed.verb, deed.subject)))
            log = [*deed.log, deed.error] if deed.error else deed.log
            logged.append((f"{title} ({deed.seconds:.1f} s)", "\n".join(log)))
    return logged


def add_logs_of_others(
    reports: Sequence[pytest.TestReport | pytest.CollectReport], done: Sequence[Deed]
) -> None:
    """Add to failed *reports* the logs of what they depended on and other workers did.

    What a test did for itself is no other test's. Reports of files that cannot be collected are
    no tests'.
    """
    for report in reports:
        properties = getattr(report, "user_properties", ())
        used = {name for key, name in properties if key == PROPERTY}
        shown = {title for title, _ in report.sections}
        for title, text in _logs(deed for deed in done if _is_shared(deed, used)):
            if title not in shown:
                report.sections.append((title, text))


def _is_shared(deed: Deed, used: Set[object]) -> bool:
    by_all = not deed.owner or FIXTURE in deed.owner
    return by_all and not used.isdisjoint(deed.names)


def show(call: pytest.CallInfo[None], settings: Settings, *, whole: bool) -> str | None:
    """Make the error of a test readable; return the text to show instead, if any.

    What this machine lacks skips the test, where it is not required. *whole*: as it is.
    """
    error = None if call.excinfo is None else call.excinfo.value
    if not isinstance(error, ImagesError):
        return None
    from pytest_images.plugin import lacking

    engine = settings.engine or "embedded"
    if settings.require:
        lacking.required(error, engine)
    elif lacking.skip(call, error, engine):
        return None
    return None if whole else shorten(call)
