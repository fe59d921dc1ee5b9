"""Sizes and times as Docker shows them: ``5.58MB``, ``2 weeks ago`` (docker/go-units)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_HOUR, _DAY = 3600, 24
_WEEK, _MONTH, _YEAR = 7 * _DAY, 30 * _DAY, 365 * _DAY  # in hours, as go-units counts them
_LENGTHS = (
    (2 * _DAY, 1, "hours"),
    (2 * _WEEK, _DAY, "days"),
    (2 * _MONTH, _WEEK, "weeks"),
    (2 * _YEAR, _MONTH, "months"),
)
_LONGEST = 2**63 // 10**9  # seconds that a time of Go can last
_NEVER = datetime.min.replace(tzinfo=UTC)  # Go's time that nobody set


@lru_cache(maxsize=4096)
def human_size(size: float, digits: int = 4) -> str:
    """Return *size* in bytes with decimal units, *digits* significant digits.

    >>> human_size(5_581_590), human_size(5_581_590, 3)
    ('5.582MB', '5.58MB')
    """
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size /= 1000
        unit += 1
    return f"{size:.{digits}g}{_UNITS[unit]}"


def human_duration(seconds: float) -> str:
    """Return a length of time in *seconds* in words.

    >>> human_duration(14 * 24 * 3600)
    '2 weeks'
    """
    if seconds < _HOUR:
        return _within_an_hour(int(seconds))
    return _hours(int(seconds / _HOUR + 0.5), int(seconds / _HOUR))


def _hours(hours: int, whole: int) -> str:
    """Return a length of time in *hours*, rounded; *whole* hours have passed."""
    if hours == 1:
        return "About an hour"
    for below, unit, name in _LENGTHS:
        if hours < below:
            return f"{hours // unit} {name}"
    return f"{whole // _YEAR} years"


def _within_an_hour(seconds: int) -> str:
    if seconds < 1:
        return "Less than a second"
    if seconds == 1:
        return "1 second"
    if seconds < 60:
        return f"{seconds} seconds"
    return "About a minute" if seconds < 120 else f"{seconds // 60} minutes"


def since(moment: datetime | None, now: datetime) -> str:
    """Say how long before *now* the *moment* was; nothing where it is not known."""
    if moment is None or moment == _NEVER:
        return ""
    length = now - moment
    seconds = min(length.days * 86_400 + length.seconds, _LONGEST)
    if seconds >= _HOUR:
        return _half_hours_ago(seconds // (_HOUR // 2))
    return f"{human_duration(seconds)} ago"


@lru_cache(maxsize=1 << 16)  # of 10,000 images many are as old as another
def _half_hours_ago(count: int) -> str:
    return f"{_hours((count + 1) // 2, count // 2)} ago"


def go_time(moment: datetime | None) -> str:
    """Return *moment* to the second in the local zone, as Go prints a time.

    >>> go_time(None)
    '0001-01-01 00:00:00 +0000 UTC'
    """
    here = local(moment) if moment is not None else _NEVER
    return f"{here.isoformat(' ', 'seconds')[:19]} {here.strftime('%z')[:5]} {here.tzname()}"


def local(moment: datetime) -> datetime:
    """Return *moment* in the local zone, as it is where that is in no year that is counted."""
    try:
        return moment.astimezone()
    except OverflowError:
        return moment


def ellipsis(text: str, columns: int) -> str:
    """Return *text* cut to *columns* of a terminal, the last one ``…``; wide characters take two.

    >>> ellipsis("abcdef", 4)
    'abc…'
    """
    if text.isascii():
        return text if len(text) <= columns else f"{text[: columns - 1]}…"
    import unicodedata

    widths = [1 + (unicodedata.east_asian_width(character) in "WF") for character in text]
    if sum(widths) <= columns:
        return text
    taken = 0
    for count, width in enumerate(widths):
        taken += width
        if taken >= columns:
            return text[:count] + "…"
    return text


def now() -> datetime:
    """Return the time of this machine's clock, with its zone."""
    return datetime.now(UTC)
