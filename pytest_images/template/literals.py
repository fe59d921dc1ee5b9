"""Strings, characters and numbers as Go writes them."""

from __future__ import annotations

import re
from math import isfinite

from pytest_images.regex import regex
from pytest_images.template.lexer import quoted

_ESCAPE = regex(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))",
)
_SIMPLE = dict(zip("abfnrtv\\'\"", "\a\b\f\n\r\t\v\\'\"", strict=True))
_LARGEST = 1 << 63
_LONGEST = 400  # characters of a number: beyond is neither an int64 nor a float64


class Malformed(ValueError):
    """A literal that Go would not read."""


def string(literal: str) -> str:
    """Return the text of a quoted or raw string *literal*. Raises Malformed."""
    if literal[0] == "`":
        return literal[1:-1].replace("\r", "")
    return _unescaped(literal[1:-1], "'")


def number(literal: str) -> int | float:
    """Return the value of a number or character *literal*. Raises Malformed."""
    if literal[0] == "'":
        character = _unescaped(literal[1:-1], '"')
        if not character:
            raise Malformed("invalid syntax")
        if len(character) > 1:
            raise Malformed(f"malformed character constant: {literal}")
        return ord(character)
    if len(literal) > _LONGEST:
        raise Malformed(f"illegal number syntax: {quoted(literal[:40])}...")
    value = _integer(literal)
    if value is None:
        return _float(literal)
    if not -_LARGEST <= value < 2 * _LARGEST:
        raise Malformed(f"integer overflow: {quoted(literal)}")
    return value


def _integer(literal: str) -> int | None:
    digits = literal.lstrip("+-")
    base = 8 if re.fullmatch("0[0-7_]+", digits) else 0
    try:
        return int(literal, base)
    except ValueError:
        return None


def _float(literal: str) -> int | float:
    try:
        value = float.fromhex(literal) if "x" in literal.lower() else float(literal)
    except (ValueError, OverflowError):
        raise Malformed(f"illegal number syntax: {quoted(literal)}") from None
    if not isfinite(value):
        raise Malformed(f"illegal number syntax: {quoted(literal)}")
    if not re.search("[.eEpP]", literal):
        raise Malformed(f"integer overflow: {quoted(literal)}")
    return value


def _unescaped(text: str, unknown: str) -> str:
    """Return *text* without its escapes; the quote *unknown* may not be escaped."""
    if "\\" not in text:
        return text
    parts, place = [], 0
    while (slash := text.find("\\", place)) >= 0:
        match = _ESCAPE.match(text, slash)
        if match is None or match[1] == unknown:
            raise Malformed("invalid syntax")
        parts += [text[place:slash], _character(match)]
        place = match.end()
    return _joined("".join([*parts, text[place:]]))


def _character(match: re.Match[str]) -> str:
    if match[1]:
        return _SIMPLE[match[1]]
    value = int(match[2] or match[4] or match[5] or "0", 16) or int(match[3] or "0", 8)
    is_byte = bool(match[2] or match[3])
    if value > (0xFF if is_byte else 0x10FFFF) or 0xD800 <= value < 0xE000:
        raise Malformed("invalid syntax")
    # A byte that is no character by itself may be a part of one: see _joined.
    return chr(0xDC00 + value) if is_byte and value >= 0x80 else chr(value)


def _joined(text: str) -> str:
    r"""Return *text* with bytes that were written one by one, as ``\xc3\xa9``, as characters."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
