"""Variables: ``$name``, ``${name}`` and its modifiers, quotes and escapes, as BuildKit's lexer.

The forms (``word`` is expanded itself; with a colon, an empty value counts as none):

====================  =====================================================================
``$name ${name}``     the value, "" when there is none
``${name:-word}``     the value, or *word* when there is none; ``${name-word}``
``${name:+word}``     *word* when there is a value; ``${name+word}``
``${name:?word}``     the value, or an error that says *word*; ``${name?word}``
``${name#pattern}``   without the shortest start that matches; ``##`` the longest
``${name%pattern}``   without the shortest end that matches; ``%%`` the longest
``${name/old/new}``   *new* for the first match of *old*; ``//`` for each
====================  =====================================================================

Everything is bounded: forms nest at most 100 deep, a result has at most 1 MiB, and all values
that the variables of a build are expanded to have 32 MiB together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_images.dockerfile.malformed import Malformed
from pytest_images.dockerfile.shell_patterns import replaced, without_prefix, without_suffix
from pytest_images.dockerfile.words import SPACES
from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPTH_LIMIT = 100
SIZE_LIMIT = 1 << 20  # characters of one expansion
TOTAL_LIMIT = 32 << 20  # characters of all values that one build reads
_SPACE = regex(f"[{SPACES}]+")
_NAME = regex(r"\d+|[@*#?\-$!]|\w+")  # numbers and the shell's own, which nothing sets here
_MODIFIERS = frozenset({"-", "+", "?", "#", "%", ":-", ":+", ":?"})
_HEREDOC = regex(r"<[\t\r ]*")


class Allowance:
    """What the values that one build expands may have together, in characters.

    A few lines can double a value and then use it a thousand times.
    """

    def __init__(self, left: int = TOTAL_LIMIT) -> None:
        self.left = left

    def take(self, count: int) -> None:
        """Use up *count*. Raises Malformed where no more is left."""
        self.left -= count
        if self.left < 0:
            raise Malformed(f"variables are expanded to more than {TOTAL_LIMIT} characters")


class Expander:
    """Expands against *variables*, which are read when asked, so they may change meanwhile.

    >>> home = Expander({"HOME": "/root", "APP": ""})
    >>> home.word('${HOME}/"a  b" $APP.')
    '/root/a  b .'
    >>> home.words("$HOME '$HOME'")
    ['/root', '$HOME']

    ``unset`` collects the names that were asked for and not there.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        escape: str = "\\",
        allowance: Allowance | None = None,
        *,
        keep_unset: bool = False,
        keep_quotes: bool = False,
        keep_escapes: bool = False,
    ) -> None:
        self.variables, self.escape = variables, escape
        self.allowance = allowance or Allowance()
        self.unset: set[str] = set()
        self._keep_unset, self._keep_quotes = keep_unset, keep_quotes
        self._keep_escapes = keep_escapes

    def word(self, text: str) -> str:
        """Return *text* expanded, without its quotes and escapes. Raises Malformed."""
        return self._read(text).result

    def words(self, text: str) -> list[str]:
        """Return *text* expanded, then split at white space that is not quoted.

        Raises Malformed.
        """
        return self._read(text).words

    def body(self, text: str) -> str:
        """Return the text of a here-document expanded; quotes in it mean nothing.

        Raises Malformed.
        """
        return _Reader(text, self, "\\", _Mode(quotes=False)).until("", keep_escapes=False).result

    def _read(self, text: str) -> _Read:
        mode = _Mode(True, self._keep_unset, self._keep_quotes)
        return _Reader(text, self, self.escape, mode).until("", keep_escapes=self._keep_escapes)


class _Mode(NamedTuple):
    """What is special, and what stays as it is."""

    quotes: bool = True
    keep_unset: bool = False
    keep_quotes: bool = False


class _Read(NamedTuple):
    """A text as it came out: whole, and in words."""

    result: str
    words: list[str]


class _Output:
    """Gathers what comes out, as one text and as words; an empty word is none."""

    __slots__ = ("_pieces", "_size", "_word", "_words")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._word: list[str] = []
        self._words: list[str] = []
        self._size = 0

    def plain(self, text: str) -> None:
        """Add text whose white space separates words."""
        self._count(text)
        for number, part in enumerate(_SPACE.split(text)):
            if number:
                self._end()
            if part:
                self._word.append(part)

    def quoted(self, text: str) -> None:
        """Add text that belongs to one word, whatever is in it."""
        self._count(text)
        if text:
            self._word.append(text)

    def done(self) -> _Read:
        self._end()
        return _Read("".join(self._pieces), self._words)

    def _end(self) -> None:
        if self._word:
            self._words.append("".join(self._word))
            self._word = []

    def _count(self, text: str) -> None:
        self._pieces.append(text)
        self._size += len(text)
        if self._size > SIZE_LIMIT:
            raise Malformed(f"the expansion is longer than {SIZE_LIMIT} characters")


class _Reader:
    """Reads a text once, from left to right."""

    def __init__(self, text: str, by: Expander, escape: str, mode: _Mode) -> None:
        self._text, self._by, self._escape, self._mode = text, by, escape, mode
        self._at = 0
        self._depth = 0
        self._keeps_escapes = False
        always = "$<" + escape + ("'\"" if mode.quotes else "")
        self._special = {stop: regex(f"[{re.escape(always + stop)}]") for stop in ("", "}", "/")}

    def until(self, stop: str, *, keep_escapes: bool) -> _Read:
        """Read up to and with the character *stop*, or all when it is ""."""
        before, self._keeps_escapes = self._keeps_escapes, keep_escapes
        out, special = _Output(), self._special[stop]
        while (found := special.search(self._text, self._at)) and found[0] != stop:
            out.plain(self._text[self._at : found.start()])
            self._at = found.start() + 1
            self._read_special(found[0], out)
        if stop and not found:
            self._at = len(self._text)
            raise Malformed(f"syntax error: missing '{stop}' in substitution")
        end = found.start() if found else len(self._text)
        out.plain(self._text[self._at : end])
        self._at = end + 1
        self._keeps_escapes = before
        return out.done()

    def _read_special(self, letter: str, out: _Output) -> None:
        if letter == "$":
            out.plain(self._dollar())
        elif letter == self._escape:
            self._escaped(out)
        elif letter == "'":
            out.quoted(self._single_quoted())
        elif letter == '"':
            out.quoted(self._double_quoted())
        else:
            out.quoted(self._possible_heredoc())

    def _escaped(self, out: _Output) -> None:
        """The next character as it is; an escape at the very end is nothing."""
        kept = self._escape if self._keeps_escapes else ""
        out.quoted(kept + self._text[self._at : self._at + 1])
        self._at += 1

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            raise Malformed("unexpected end of statement while looking for matching single-quote")
        inside, self._at = self._text[self._at : end], end + 1
        return f"'{inside}'" if self._mode.keep_quotes else inside

    def _double_quoted(self) -> str:
        """Text in which only variables and a few escapes mean something."""
        pieces, special = [], re.compile(f'[$"{re.escape(self._escape)}]')
        while (found := special.search(self._text, self._at)) and found[0] != '"':
            pieces.append(self._text[self._at : found.start()])
            self._at = found.start() + 1
            pieces.append(self._dollar() if found[0] == "$" else self._escaped_in_quotes())
        if not found:
            raise Malformed("unexpected end of statement while looking for matching double-quote")
        pieces.append(self._text[self._at : found.start()])
        self._at = found.end()
        inside = "".join(pieces)
        return f'"{inside}"' if self._mode.keep_quotes else inside

    def _escaped_in_quotes(self) -> str:
        kept = self._escape if self._keeps_escapes else ""
        letter = self._text[self._at : self._at + 1]
        if letter and letter in ('"', "$", self._escape):
            self._at += 1
            return kept + letter
        return kept + self._escape if letter else kept

    def _possible_heredoc(self) -> str:
        """After ``<<``, white space still belongs to the word."""
        found = _HEREDOC.match(self._text, self._at)
        if not found:
            return "<"
        self._at = found.end()
        return "<" + found[0]

    def _dollar(self) -> str:
        if not self._text.startswith("{", self._at):
            name = self._name()
            if not name:
                return "$"
            value = self._value(name)
            return f"${name}" if value is None and self._mode.keep_unset else value or ""
        self._at += 1
        if self._at == len(self._text):
            raise Malformed("syntax error: missing '}'")
        if self._text[self._at] in "{}:":
            raise Malformed("syntax error: bad substitution")
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            raise Malformed(f"substitutions are nested more than {DEPTH_LIMIT} deep")
        result = self._braces()
        self._depth -= 1
        return result

    def _braces(self) -> str:
        """Read ``name}`` or ``name`` and a modifier up to its ``}``."""
        name, modifier = self._name(), self._modifier()
        if modifier == "}":
            value = self._value(name)
            return f"${{{name}}}" if value is None and self._mode.keep_unset else value or ""
        if modifier == "/":
            return self._substituted(name)
        if not modifier:
            raise Malformed("syntax error: missing '}'")
        if modifier not in _MODIFIERS:
            raise Malformed(f"unsupported modifier ({modifier}) in substitution")
        word = self.until("}", keep_escapes=modifier in "#%").result
        value = self._value(name)
        if value is None and self._mode.keep_unset:
            return f"${{{name}{modifier}{word}}}"
        return _modified(name, value, modifier, word)

    def _modifier(self) -> str:
        colon = self._text.startswith(":", self._at)
        modifier = self._text[self._at : self._at + 1 + colon]
        self._at += len(modifier)
        return modifier

    def _substituted(self, name: str) -> str:
        everywhere = self._text.startswith("/", self._at)
        self._at += everywhere
        pattern = self.until("/", keep_escapes=True).result
        put = self.until("}", keep_escapes=True).result
        value = self._value(name)
        if value is None and self._mode.keep_unset:
            return f"${{{name}/{pattern}/{put}}}"
        return replaced(value or "", pattern, put, everywhere=everywhere, limit=SIZE_LIMIT)

    def _name(self) -> str:
        found = _NAME.match(self._text, self._at)
        if not found:
            return ""
        self._at = found.end()
        return found[0]

    def _value(self, name: str) -> str | None:
        value = self._by.variables.get(name)
        if value is None:
            self._by.unset.add(name)
        else:
            self._by.allowance.take(len(value))
        return value


def _modified(name: str, value: str | None, modifier: str, word: str) -> str:
    is_there = bool(value) if modifier[0] == ":" else value is not None
    match modifier[-1]:
        case "-":
            return (value or "") if is_there else word
        case "+":
            return word if is_there else ""
        case "?":
            if not is_there:
                raise Malformed(f"{name}: {word or _missing(value)}")
            return value or ""
        case "#":
            longest, pattern = word[:1] == "#", word.removeprefix("#")
            return without_prefix(value or "", pattern, longest=longest)
        case _:
            longest, pattern = word[:1] == "%", word.removeprefix("%")
            return without_suffix(value or "", pattern, longest=longest)


def _missing(value: str | None) -> str:
    return f"is not allowed to be {'unset' if value is None else 'empty'}"
