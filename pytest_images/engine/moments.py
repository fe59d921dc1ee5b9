"""Points in time as ``--filter until=`` takes them: a date, Unix seconds, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pytest_images.errors import InvalidUsage
from pytest_images.regex import regex

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_PART = regex(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)", re.ASCII)
_UNIX = regex(r"\d{1,12}(?:\.\d{1,9})?", re.ASCII)
_DATE = regex(
    r"\d{4}-\d{2}-\d{2}(?:T\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?)?(?:Z|[+-]\d{2}:?\d{2})?"
)


def moment(text: str, now: datetime) -> datetime:
    """Read a point in time; a duration such as ``1h30m`` is counted back from *now*.

    A date without a zone is local, as Docker's command line takes it. Raises InvalidUsage.

    >>> moment("24h", datetime(2024, 5, 2, tzinfo=UTC))
    datetime.datetime(2024, 5, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        if _UNIX.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        if _DATE.fullmatch(text):
            return _date(text).astimezone(UTC)
        return now - _duration(text)
    except (ValueError, OverflowError) as error:
        reason = "expected a date, seconds since 1970, or a duration such as 24h"
        raise InvalidUsage(text, reason) from error


def _date(text: str) -> datetime:
    """Read an ISO date; fractions beyond microseconds are cut."""
    hours_only = re.fullmatch(r"(\d{4}-\d{2}-\d{2}T\d{2})(Z|[+-].*)?", text)
    if hours_only:
        text = f"{hours_only[1]}:00{hours_only[2] or ''}"
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))


def _duration(text: str) -> timedelta:
    sign, parts = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    found = list(_PART.finditer(parts))
    if not found or "".join(part[0] for part in found) != parts:
        raise ValueError(text)
    return timedelta(seconds=sign * sum(float(part[1]) * _UNITS[part[2]] for part in found))
