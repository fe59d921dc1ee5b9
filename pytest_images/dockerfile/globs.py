r"""File patterns as Go's ``filepath.Match`` reads them, with moby's ``**``, in linear time.

``*`` is any number of characters of one name, ``?`` one, ``[a-z]`` and ``[^a-z]`` one of a
class; ``\`` takes a meaning away. ``**`` is any number of folders, none too, and at the end of
a pattern whatever is below. A class never matches ``/``.

A pattern is made a regular expression of atomic groups: a chunk between two stars takes the
first place where it fits and keeps it. That finds all there is, for a later place only leaves
less to the rest, so the time is that of the path times the pattern and never explodes. The one
form for which it is not true, ``a**b``, is rewritten: it is ``ab`` or ``a*/**/b``.
"""

from __future__ import annotations

import re
from itertools import product

from pytest_images.dockerfile.malformed import Malformed
from pytest_images.regex import regex

_CLASS = regex(r"\[(\^?)((?:\\.|[^\\\]])+)\]", re.DOTALL)
_RANGE = regex(r"(\\.|[^\\\-\]])(?:-(\\.|[^\\\-\]]))?", re.DOTALL)
_SUFFIX = regex(r"\*\*([^/*?\[\]\\][^*?\[\]\\]*)", re.DOTALL)  # **.py: ends so, as in moby
_STAR = "*"
_DEEP = "**"
_LENGTH_LIMIT = 4096  # characters: no path is longer
_GLUED_LIMIT = 6  # forms like a**b in one pattern: each doubles the alternatives


def compile_glob(pattern: str) -> re.Pattern[str]:
    """Return what fully matches the paths that *pattern* means, ``**`` included.

    Raises Malformed.

    >>> bool(compile_glob("src/**/*.py").fullmatch("src/a/b/c.py"))
    True
    """
    if len(pattern) > _LENGTH_LIMIT:
        raise Malformed(f"a pattern has at most {_LENGTH_LIMIT} characters")
    if suffix := _SUFFIX.fullmatch(pattern):
        return re.compile(f".*{re.escape(suffix[1])}", re.DOTALL)
    tokens = _tokens(pattern)
    if tokens == [_DEEP]:
        return re.compile(".*", re.DOTALL)
    alternatives = "|".join(_expression(one) for one in _without_glue(tokens))
    return re.compile(alternatives, re.DOTALL)


def _tokens(pattern: str) -> list[str]:
    """Return a regular expression for each character, ``/``, `_STAR` and `_DEEP` as they are."""
    tokens: list[str] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        if pattern.startswith("**", at):
            if tokens[-1:] != [_DEEP]:
                tokens.append(_DEEP)
            at += 3 if pattern.startswith("/", at + 2) else 2  # **/ is ** too
            continue
        at += 1
        if letter == "*":
            tokens.append(_STAR)
        elif letter == "?":
            tokens.append("[^/]")
        elif letter == "[":
            token, at = _class(pattern, at - 1)
            tokens.append(token)
        elif letter == "\\":
            if at == len(pattern):
                raise Malformed("syntax error in pattern")
            tokens.append(_literal(pattern[at]))
            at += 1
        else:
            tokens.append(_literal(letter))
    return tokens


def _literal(letter: str) -> str:
    return "/" if letter == "/" else re.escape(letter)


def _class(pattern: str, at: int) -> tuple[str, int]:
    match = _CLASS.match(pattern, at)
    if not match:
        raise Malformed("syntax error in pattern")
    pieces, inside, place = [], match[2], 0
    while place < len(inside):
        one = _RANGE.match(inside, place)
        if not one:
            raise Malformed("syntax error in pattern")
        first, last = one[1][-1], (one[2] or one[1])[-1]
        if last < first:
            raise Malformed("syntax error in pattern: a range that ends before it begins")
        pieces.append(f"{re.escape(first)}-{re.escape(last)}")
        place = one.end()
    return f"(?!/)[{match[1]}{''.join(pieces)}]", match.end()


def _without_glue(tokens: list[str]) -> list[list[str]]:
    """Return the alternatives in which ``**`` only follows a whole name."""
    glued = [
        number
        for number, token in enumerate(tokens)
        if token == _DEEP and 0 < number < len(tokens) - 1 and tokens[number - 1] != "/"
    ]
    if len(glued) > _GLUED_LIMIT:
        raise Malformed(f"a pattern has ** within a name at most {_GLUED_LIMIT} times")
    found = []
    for choice in product(([], [_STAR, "/", _DEEP]), repeat=len(glued)):
        put = dict(zip(glued, choice, strict=True))
        pieces = (put.get(number, [token]) for number, token in enumerate(tokens))
        found.append([token for piece in pieces for token in piece])
    return found


def _expression(tokens: list[str]) -> str:
    """Return the regular expression of tokens in which ``**`` begins a name, or ends all."""
    below = tokens[-1] == _DEEP
    *middle, last = _split(tokens[:-1] if below else tokens, _DEEP)
    if below:
        ended = last if last[-1:] in ([], ["/"]) else [*last, _STAR]
        middle, last = [*middle, ended], []
    first, *rest = middle if middle else [last]
    text = _names(first)
    text += "".join(f"(?>(?:[^/]*/)*?{_names(chunk)})" for chunk in rest)
    if middle:
        text += ".*" if below else f"(?:[^/]*/)*{_names(last)}"
    return text


def _names(tokens: list[str]) -> str:
    """Return the expression of names with ``/`` between them, each name by itself."""
    return "/".join(_name(name) for name in _split(tokens, "/"))


def _name(tokens: list[str]) -> str:
    first, *rest = ("".join(chunk) for chunk in _split(tokens, _STAR))
    if not rest:
        return first
    *middle, last = rest
    placed = "".join(f"(?>[^/]*?{chunk})" for chunk in middle)
    return f"(?>{first}{placed}[^/]*{last}(?![^/]))"


def _split(tokens: list[str], at: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == at:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
