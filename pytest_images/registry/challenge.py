"""``WWW-Authenticate``, read within bounds (RFC 9110, 11.6.1; distribution's token spec)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass, field
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH_LIMIT = 16 << 10  # characters of the header that are read
COUNT_LIMIT = 16  # challenges, and parameters of each

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_GAP = regex(r"[\s,]*")
_SCHEME = regex(rf"({_WORD})(?=\s|,|$)\s*(?![\s,]*=)")
_PARAMETER = regex(rf'[\s,]*({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"=]+))(?=[\s,]|$)')
_REST_OF_CHALLENGE = regex(r"[^,]*")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way a server accepts: the scheme (lower case) and its parameters."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Read the challenges of a header; what is not one is skipped, never an error."""
    text = header[:LENGTH_LIMIT]
    found: list[Challenge] = []
    position = 0
    while len(found) < COUNT_LIMIT:
        gap = _GAP.match(text, position)
        position = gap.end() if gap else position
        if position >= len(text):
            break
        scheme = _SCHEME.match(text, position)
        if scheme is None:
            rest = _REST_OF_CHALLENGE.match(text, position)
            position = max(position + 1, rest.end() if rest else 0)
            continue
        parameters, position = _parameters(text, scheme.end())
        found.append(Challenge(scheme[1].lower(), parameters))
    return tuple(found)


def _parameters(text: str, position: int) -> tuple[dict[str, str], int]:
    """Read ``name=value`` pairs; the first of a doubled name counts."""
    parameters: dict[str, str] = {}
    while len(parameters) < COUNT_LIMIT and (match := _PARAMETER.match(text, position)):
        quoted = match[2]
        value = match[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        parameters.setdefault(match[1].lower(), value)
        position = match.end()
    return parameters, position
