"""Patterns for names as Docker matches them: Go's ``path.Match``, where ``*`` stops at ``/``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_images.errors import InvalidReference, InvalidUsage
from pytest_images.model.reference import Reference
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKENS = regex(r"\*|\?|\[(\^?)((?:\\.|[^\\\]])+)\]|\\(.)|([^\\\[])", re.DOTALL)
_RANGE = regex(r"(\\.|[^\\-])(?:-(\\.|[^\\-]))?", re.DOTALL)
_PATTERN_LIMIT = 1024  # characters


def compiled(pattern: str) -> re.Pattern[str]:
    """Return a regular expression for a ``path.Match`` *pattern*. Raises InvalidUsage."""
    if len(pattern) > _PATTERN_LIMIT:
        raise InvalidUsage(pattern, f"a pattern has at most {_PATTERN_LIMIT} characters")
    chunks, at = [""], 0  # what stands between the stars
    for match in _TOKENS.finditer(pattern):
        if match.start() != at:
            break
        if match[0] == "*":
            chunks.append("")
        else:
            chunks[-1] += _piece(match, pattern)
        at = match.end()
    if at != len(pattern):
        raise _bad(pattern)
    return re.compile(_joined(*chunks), re.DOTALL)


def _joined(first: str, *others: str) -> str:
    """Put stars between the chunks; each but the last takes the first place where it fits.

    That is what Go does, and all there is to find: giving a place up (an atomic group never
    does) could only make the rest shorter. So many stars take no exponential time.
    """
    if not others:
        return first
    *middle, last = others
    return first + "".join(f"(?>[^/]*?{chunk})" for chunk in middle) + f"[^/]*{last}"


def matcher(pattern: str) -> Callable[[Reference], bool]:
    """Return whether a name matches *pattern*, in its shortest form with its tag or without.

    A full name is taken too: ``docker.io/library/alpine`` is ``alpine``. Raises InvalidUsage.
    """
    expressions = [compiled(text) for text in _forms(pattern)]

    def matches(reference: Reference) -> bool:
        names = (reference.familiar, reference.familiar_name)
        return any(each.fullmatch(name) for each in expressions for name in names)

    return matches


def _forms(pattern: str) -> set[str]:
    """Return the pattern, and its shortest form where it is a name without wildcards."""
    try:
        return {pattern, Reference.parse_bare(pattern).familiar}
    except InvalidReference:
        return {pattern}


def _piece(match: re.Match[str], pattern: str) -> str:
    if match[0] == "?":
        return "[^/]"
    if match[2] is not None:
        return f"[{match[1]}{_members(match[2], pattern)}]"
    return re.escape(match[3] or match[4])


def _members(text: str, pattern: str) -> str:
    """Return the inside of a character class; ``-`` needs a character on both sides."""
    pieces, at = [], 0
    for match in _RANGE.finditer(text):
        if match.start() != at:
            break
        first, last = (part and part[-1] for part in match.groups())
        if last is not None and last < first:
            raise _bad(pattern)
        pieces.append(re.escape(first) + (f"-{re.escape(last)}" if last else ""))
        at = match.end()
    if at != len(text):
        raise _bad(pattern)
    return "".join(pieces)


def _bad(pattern: str) -> InvalidUsage:
    return InvalidUsage(pattern, "syntax error in pattern")
