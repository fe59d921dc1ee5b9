r"""The patterns of ``${name#pattern}`` and its kind, matched in linear time.

``?`` is a character and ``*`` any number of them, on one line; ``\`` takes the meaning away
from ``*``, ``?`` and itself, and is needed before ``}`` and ``/``. There are no classes.

A pattern is a row of chunks with a star between each. A chunk takes the first place where it
fits and keeps it (an atomic group), for a later place leaves less to the rest: what backtracking
would find is found without it. When the rest fits nowhere on its line, no later start on that
line can make it fit, so a search passes over each line once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_images.dockerfile.malformed import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STAR = "*"


def without_prefix(value: str, pattern: str, *, longest: bool) -> str:
    """Return *value* without the shortest or longest start that matches. Raises Malformed."""
    expression = re.compile(_expression(_tokens(pattern), longest=longest))
    found = expression.match(value)
    return value[found.end() :] if found else value


def without_suffix(value: str, pattern: str, *, longest: bool) -> str:
    """Return *value* without the shortest or longest end that matches. Raises Malformed."""
    expression = re.compile(_expression(_tokens(pattern)[::-1], longest=longest))
    found = expression.match(value[::-1])
    return value[: len(value) - found.end()] if found else value


def replaced(value: str, pattern: str, put: str, *, everywhere: bool, limit: int) -> str:
    """Return *value* with *put* for the first longest match, or for each. Raises Malformed.

    *limit* bounds the result, in characters.
    """
    pieces, at, size = [], 0, 0
    for start, end in _matches(value, _tokens(pattern)):
        pieces += [value[at:start], put]
        size += start - at + len(put)
        at = end
        if size > limit:
            raise Malformed(f"the expansion is longer than {limit} characters")
        if not everywhere:
            break
    return "".join(pieces) + value[at:]


def _tokens(pattern: str) -> list[str]:
    """Return a regular expression for each character, and `_STAR` for each star."""
    tokens, at = [], 0
    while at < len(pattern):
        letter = pattern[at]
        at += 1
        if letter == "*":
            tokens.append(_STAR)
        elif letter == "?":
            tokens.append(".")
        elif letter != "\\":
            tokens.append(re.escape(letter))
        elif pattern[at : at + 1] in ("*", "?", "\\"):
            tokens.append(re.escape(pattern[at]))
            at += 1
        elif pattern[at : at + 1] not in ("}", "/"):
            escaped = pattern[at - 1 : at + 1]
            raise Malformed(
                f"invalid pattern ({pattern}) in substitution: invalid escape {escaped}"
            )
    return tokens


def _chunks(tokens: list[str]) -> list[str]:
    chunks = [""]
    for token in tokens:
        if token == _STAR:
            chunks.append("")
        else:
            chunks[-1] += token
    return chunks


def _expression(tokens: list[str], *, longest: bool) -> str:
    first, *rest = _chunks(tokens)
    return first + _rest(rest, longest=longest)


def _rest(chunks: list[str], *, longest: bool) -> str:
    """Return what follows the first chunk; only the last one may look for a late place."""
    if not chunks:
        return ""
    *middle, last = chunks
    placed = "".join(f"(?>.*?{chunk})" for chunk in middle)
    return placed + (f".*{last}" if longest else f".*?{last}")


def _matches(value: str, tokens: list[str]) -> Iterator[tuple[int, int]]:
    """Give each match from left to right; an empty one not right behind another."""
    find = _finder(tokens)
    at, previous = 0, -1
    while at <= len(value) and (span := find(value, at)):
        start, end = span
        if end > start or start != previous:
            yield span
        previous = end
        at = end if end > start else end + 1


def _finder(tokens: list[str]) -> Callable[[str, int], tuple[int, int] | None]:
    first, *chunks = _chunks(tokens)
    head, rest = re.compile(first), re.compile(_rest(chunks, longest=True))

    def find(value: str, at: int) -> tuple[int, int] | None:
        while begun := head.search(value, at):
            if found := rest.match(value, begun.end()):
                return begun.start(), found.end()
            line_end = value.find("\n", begun.end())
            if line_end < 0:
                return None
            at = max(begun.start() + 1, line_end + 1 - (begun.end() - begun.start()))
        return None

    return find
