"""Lengths of time as Go writes them: ``1m30s``, ``1.5h``, ``100ms``."""

from __future__ import annotations

import re

from pytest_images.dockerfile.malformed import Malformed
from pytest_images.regex import regex

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = regex(r"(\d{0,19})(?:\.(\d{0,19})\d*)?(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_LIMIT = (1 << 63) - 1


def parse_duration(text: str) -> int:
    """Return the nanoseconds that *text* says. Raises Malformed.

    >>> parse_duration("1m0.5s")
    60500000000
    """
    from fractions import Fraction

    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    total, at = Fraction(0), 0
    while (part := _PART.match(rest, at)) and (part[1] or part[2]):
        total += Fraction(f"{part[1] or 0}.{part[2] or 0}") * _UNITS[part[3]]
        at = part.end()
    if not rest or at != len(rest) or total > _LIMIT:
        raise Malformed(f'invalid duration "{text}": expected a number and a unit, as in 1m30s')
    return sign * int(total)
