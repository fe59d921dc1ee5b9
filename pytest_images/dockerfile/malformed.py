"""What is wrong with a piece of text whose place only the caller knows."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_FAR = 3  # edits; a word this far away is another word
_WORD_LIMIT = 64  # characters; nobody means a known word by a longer one


class Malformed(Exception):
    """A piece breaks a rule; whoever knows its place makes an error for people of it."""


def hint(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean NAME?)`` for the name nearest to *word*, "" if none is near.

    >>> hint("--chwon", ["--chown", "--chmod"])
    ' (did you mean --chown?)'
    """
    if len(word) > _WORD_LIMIT:
        return ""
    near = ((_distance(word, name), name) for name in known if abs(len(name) - len(word)) < _FAR)
    distance, nearest = min(near, default=(_FAR, ""), key=itemgetter(0))
    return f" (did you mean {nearest}?)" if 0 < distance < _FAR else ""


def _distance(one: str, other: str) -> int:
    """Return how many letters must be changed, added or removed (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(previous + (a != b), row[j] + 1, row[j - 1] + 1)
    return row[-1]
