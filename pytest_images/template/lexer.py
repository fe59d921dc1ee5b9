"""Text to tokens: what is outside ``{{ }}``, and the words inside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYWORDS = frozenset(
    ("block", "break", "continue", "define", "else", "end", "if", "range", "template", "with")
)
_SPACE = " \t\r\n"
_COMMENT = regex(r"(?:- |-\t|-\r|-\n)?/\*")
_CLOSE = regex(r"[ \t\r\n]-}}|}}")
_SPACES = regex(r"[ \t\r\n]+(?!-}})|[ \t\r\n](?=[ \t\r\n]+-}})")
_WORD = regex(r"\w*")
_NUMBER = regex(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*|0[bB][01_]*"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)"
)
_QUOTED = {
    '"': (regex(r'"(?:[^"\\\n]|\\[^\n])*"', re.DOTALL), "quoted string"),
    "'": (regex(r"'(?:[^'\\\n]|\\[^\n])*'", re.DOTALL), "character constant"),
    "`": (regex(r"`[^`]*`"), "raw quoted string"),
}
_KINDS = {'"': "string", "'": "char", "`": "string"}


class Token(NamedTuple):
    """A piece of a template; *at* is its place in the text, in characters.

    Kinds: text, open, close, space, word, keyword, bool, nil, field, dot, variable, number,
    string, char, assign, declare, pipe, paren, sign, error, end.
    """

    kind: str
    text: str
    at: int


class _Bad(Exception):
    """A text that is no token, and why."""


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of *text*; the last is of kind ``end`` or ``error``."""
    place, trim = 0, False
    while True:
        begin = text.find("{{", place)
        outside = text[place : begin if begin >= 0 else len(text)]
        start = place + len(outside) - len(outside.lstrip(_SPACE)) if trim else place
        stop = place + len(outside)
        if begin >= 0 and _trims(text, begin + 2):
            stop = max(start, place + len(outside.rstrip(_SPACE)))
        if stop > start:
            yield Token("text", text[start:stop], start)
        if begin < 0:
            yield Token("end", "", len(text))
            return
        place = begin + 2
        inside = _Inside(text, place + 2 if _trims(text, place) else place)
        try:
            if _COMMENT.match(text, place):
                place, trim = _after_comment(text, place)
                continue
            yield Token("open", "{{", begin)
            yield from inside.tokens()
        except _Bad as bad:
            yield Token("error", str(bad), inside.place)
            return
        place, trim = inside.place, inside.trims


def _trims(text: str, place: int) -> bool:
    """Whether ``- `` stands at *place*: what is before the action loses its spaces."""
    return text[place : place + 1] == "-" and text[place + 1 : place + 2] in tuple(_SPACE)


def _after_comment(text: str, place: int) -> tuple[int, bool]:
    end = text.find("*/", place)
    if end < 0:
        raise _Bad("unclosed comment")
    closing = _CLOSE.match(text, end + 2)
    if closing is None:
        raise _Bad("comment ends before closing delimiter")
    return closing.end(), len(closing[0]) > 2


class _Inside:
    """The words of one action, until its ``}}``."""

    def __init__(self, text: str, place: int) -> None:
        self.text, self.place, self.depth, self.trims = text, place, 0, False

    def tokens(self) -> Iterator[Token]:
        while True:
            closing = _CLOSE.match(self.text, self.place)
            if closing:
                if self.depth:
                    raise _Bad("unclosed left paren")
                yield Token("close", closing[0], self.place)
                self.place, self.trims = closing.end(), len(closing[0]) > 2
                return
            start, kind = self.place, self._next()
            yield Token(kind, self.text[start : self.place], start)

    def _next(self) -> str:
        """Step over one token and return its kind."""
        found = self.text[self.place : self.place + 1]
        if not found:
            raise _Bad("unclosed action")
        spaces = _SPACES.match(self.text, self.place)
        if spaces:
            self.place = spaces.end()
            return "space"
        if found in _QUOTED:
            return self._quoted(found)
        after = self.text[self.place + 1 : self.place + 2]
        if found == "$" or (found == "." and not ("0" <= after <= "9")):
            return self._name(found)
        if found in "+-." or "0" <= found <= "9":
            return self._number()
        if _is_letter(found):
            return self._word()
        return self._sign(found)

    def _sign(self, found: str) -> str:
        self.place += 1
        if found == ":":
            if self.text[self.place : self.place + 1] != "=":
                raise _Bad("expected :=")
            self.place += 1
            return "declare"
        if found in "()":
            self.depth += 1 if found == "(" else -1
            if self.depth < 0:
                raise _Bad("unexpected right paren")
            return "paren"
        if found in "=|":
            return "assign" if found == "=" else "pipe"
        if not (" " <= found <= "~"):
            raise _Bad(f"unrecognized character in action: {code_point(found)}")
        return "sign"

    def _quoted(self, quote: str) -> str:
        pattern, name = _QUOTED[quote]
        match = pattern.match(self.text, self.place)
        if match is None:
            raise _Bad(f"unterminated {name}")
        self.place = match.end()
        return _KINDS[quote]

    def _name(self, mark: str) -> str:
        """Step over a ``.field`` or a ``$variable``; alone they are the dot and the root."""
        word = _WORD.match(self.text, self.place + 1)
        self.place = word.end() if word else self.place + 1
        self._require_end_of_word()
        if mark == "$":
            return "variable"
        return "field" if word and word[0] else "dot"

    def _word(self) -> str:
        match = _WORD.match(self.text, self.place)
        word = match[0] if match else ""
        self.place += len(word)
        self._require_end_of_word()
        if word in KEYWORDS:
            return "keyword"
        return {"true": "bool", "false": "bool", "nil": "nil"}.get(word, "word")

    def _number(self) -> str:
        match = _NUMBER.match(self.text, self.place)
        end = match.end() if match else self.place
        after = self.text[end : end + 1]
        if after and after in "+-":  # in Go the start of a complex number
            second = _NUMBER.match(self.text, end)
            stop = second.end() if second else end
            raise _Bad(f"bad number syntax: {quoted(self.text[self.place : stop])}")
        if _is_letter(after) or end == self.place:
            raise _Bad(f"bad number syntax: {quoted(self.text[self.place : end + 1])}")
        self.place = end
        return "number"

    def _require_end_of_word(self) -> None:
        after = self.text[self.place : self.place + 1]
        ends = not after or after in " \t\r\n.,|:()" or self.text.startswith("}}", self.place)
        if not ends:
            raise _Bad(f"bad character {code_point(after)}")


def _is_letter(character: str) -> bool:
    return character == "_" or character.isalnum()


def code_point(character: str) -> str:
    """Return *character* as Go's ``%#U`` does: ``U+007D '}'``."""
    shown = f" '{character}'" if character.isprintable() else ""
    return f"U+{ord(character):04X}{shown}"


_ESCAPES = {
    **{"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"},
    **{"\v": "\\v", "\\": "\\\\"},
}


def quoted(text: str, quote: str = '"') -> str:
    r"""Return *text* as a Go string literal.

    >>> print(quoted('a"b\n'))
    "a\"b\n"
    """
    return quote + "".join([_escaped(c, quote) for c in text]) + quote


def _escaped(character: str, quote: str) -> str:
    if character == quote:
        return f"\\{quote}"
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
