"""The second phase: a logical line to its keyword, flags and arguments.

Which of these an instruction uses is its grammar, in `reading`. Quotes and escapes stay in
what `split_words` and `pairs` return: they mean something to `expand`, which removes them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_images.dockerfile.malformed import Malformed
from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACES = (  # what Unicode calls white space, as Go counts it
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
_BLANKS = regex(r"[\t\v\f\r ]+")
_WORD_START = regex(f"[^{SPACES}]")
_SURROGATES = regex("[\ud800-\udfff]")


class Split(NamedTuple):
    """A line taken apart: ``RUN --network=none make`` has one flag."""

    keyword: str
    flags: tuple[str, ...]
    arguments: str


class Pair(NamedTuple):
    """A name and its value, as in ``ENV name=value``."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


def split(line: str, escape: str) -> Split:
    r"""Take *line* apart; flags come without their quotes and escapes.

    >>> split("COPY --chown=1:1 a b", "\\\\")
    Split(keyword='COPY', flags=('--chown=1:1',), arguments='a b')
    """
    keyword, *rest = _BLANKS.split(line.strip(SPACES), maxsplit=1)
    flags, at = _flags(rest[0], escape) if rest else ((), 0)
    return Split(keyword, flags, rest[0][at:].strip(SPACES) if rest else "")


def _flags(text: str, escape: str) -> tuple[tuple[str, ...], int]:
    """Return the words at the start that begin with ``--``, and where the rest begins."""
    flags: list[str] = []
    at = 0
    while (start := _WORD_START.search(text, at)) and text.startswith("--", start.start()):
        word, at = _flag(text, start.start(), escape)
        if word == "--":
            return tuple(flags), at
        flags.append(word)
    return tuple(flags), start.start() if start else len(text)


def _flag(text: str, at: int, escape: str) -> tuple[str, int]:
    """Return the word at *at* without quotes and escapes, and where it ends."""
    word, quote = "", ""
    while at < len(text) and (quote or text[at] not in SPACES):
        letter = text[at]
        if letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
        elif letter == escape:
            at += 1
            word += text[at : at + 1]
        else:
            word += letter
        at += 1
    return word, at


def split_blanks(text: str) -> tuple[str, ...]:
    """Split at white space, whatever is quoted: ``FROM``, ``EXPOSE``, paths without JSON."""
    return tuple(_BLANKS.split(text)) if text else ()


def split_words(text: str, escape: str) -> tuple[str, ...]:
    r"""Split at white space that is neither quoted nor escaped; quotes and escapes stay.

    >>> split_words(r'a="b c" d\ e', "\\")
    ('a="b c"', 'd\\ e')
    """
    return tuple(_words(text, escape))


def _words(text: str, escape: str) -> Iterator[str]:
    at = 0
    while start := _WORD_START.search(text, at):
        word, at = _word(text, start.start(), escape)
        if word:
            yield word


def _word(text: str, at: int, escape: str) -> tuple[str, int]:
    """Return the word at *at* as it is, and where it ends; an escape at the very end goes."""
    start, quote, end = at, "", len(text)
    while at < end and (quote or text[at] not in SPACES):
        letter = text[at]
        if letter == escape and quote != "'":
            if at + 1 == end:
                return text[start:at], end
            at += 1
        elif letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote = letter
        at += 1
    return text[start:at], at


def pairs(text: str, keyword: str, escape: str) -> tuple[tuple[Pair, ...], bool]:
    """Return the pairs of ENV or LABEL, and whether they are in the old form, ``name value``.

    Raises Malformed.
    """
    found = split_words(text, escape)
    if not found:
        raise Malformed(f"{keyword} requires at least one argument")
    if "=" not in found[0]:
        parts = _BLANKS.split(text, maxsplit=1)
        if len(parts) == 1:
            raise Malformed(f"{keyword} must have two arguments")
        return (Pair(parts[0], parts[1]),), True
    return tuple(_pair(word, keyword) for word in found), False


def _pair(word: str, keyword: str) -> Pair:
    name, equals, value = word.partition("=")
    if not equals:
        raise Malformed(f"can't find = in {word}: must be of the form name=value")
    if not name:
        raise Malformed(f"{keyword} names can not be blank")
    return Pair(name, value)


def json_list(text: str) -> tuple[str, ...] | None:
    """Return the strings of a JSON list, None where *text* is none: then it is for a shell.

    Raises Malformed for a list of anything but strings, as Docker does.
    """
    text = text.strip(SPACES)
    if not text.startswith("["):
        return None
    try:
        # Numbers are not read at all: they are refused, however long.
        items = json.loads(text, parse_int=str.__len__, parse_float=len, parse_constant=_no_json)
    except (ValueError, RecursionError):  # Docker's reader has a limit of depth too
        return None
    return tuple(_json_string(item) for item in items)


def _no_json(constant: str) -> NoReturn:
    raise ValueError(constant)


def _json_string(item: Any) -> str:
    if not isinstance(item, str):
        raise Malformed("when using JSON array syntax, arrays must be comprised of strings only")
    if "\0" in item:
        raise Malformed("an argument has a NUL in it")
    return item if item.isascii() else _SURROGATES.sub("\ufffd", item)
