"""The functions of Go's templates and those that Docker adds, with the types they take."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeGuard

from pytest_images.namedtuple import NamedTuple
from pytest_images.template.go_json import to_json
from pytest_images.template.printf import WIDEST, printf
from pytest_images.template.text import NO_VALUE, plain, shown, spaced
from pytest_images.template.values import (
    ANY,
    Byte,
    Nil,
    Number,
    Slice,
    Struct,
    element_type,
    is_true,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

STRING, INT, STRINGS = "string", "int", "[]string"


class Failed(Exception):
    """A function cannot do it, and why, in Go's words."""


class Function(NamedTuple):
    """A function by the types of its arguments; *rest* is that of any number more."""

    apply: Callable[..., Any]
    takes: tuple[str, ...]
    rest: str = ""


# Comparisons.


def _kind(value: object) -> str:
    """Return what *value* is to a comparison: "" if it has no order or equality there."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else ""


def _eq(first: object, *others: object) -> bool:
    if not others:
        raise Failed("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(one: object, other: object) -> bool:
    kind = _kind(one)
    if kind != _kind(other):
        if one is None or other is None:
            return False
        raise Failed("incompatible types for comparison")
    if kind:
        return one == other
    if _is_nil(one) or _is_nil(other):
        return _is_nil(one) and _is_nil(other)
    for value in (other, one):
        if not _is_comparable(value):
            raise Failed(f"non-comparable type {shown(value)}: {type_name(value)}")
    return one is other or (_is_plain(one) and _is_plain(other) and shown(one) == shown(other))


def _is_comparable(value: object) -> bool:
    if isinstance(value, dict | list | tuple):
        return False
    return not _is_plain(value) or all(
        _is_comparable(getter(value)) for getter in value.go_fields.values()
    )


def _is_plain(value: object) -> TypeGuard[Struct]:
    """Whether *value* is a struct itself, compared field by field, and not its address."""
    return isinstance(value, Struct) and not value.go_pointer


def _is_nil(value: object) -> bool:
    return value is None or isinstance(value, Nil) or getattr(value, "absent", False)


def _ne(one: object, other: object) -> bool:
    return not _same(one, other)


def _before(one: Any, other: Any) -> bool:
    kind = _kind(one)
    if not kind or not _kind(other):
        raise Failed("invalid type for comparison")
    if kind != _kind(other):
        raise Failed("incompatible types for comparison")
    if kind == "bool":
        raise Failed("invalid type for comparison")
    return bool(one < other)


def _at_most(one: object, other: object) -> bool:
    return _before(one, other) or _same(one, other)


def _after(one: object, other: object) -> bool:
    return not _at_most(one, other)


def _at_least(one: object, other: object) -> bool:
    return not _before(one, other)


# Parts of values.


def _bytes(text: object) -> bytes:
    return str(text).encode("utf-8", "surrogateescape")


def _text(found: bytes) -> str:
    """Return bytes as text; what is not UTF-8 stays as it is, for Go's strings are bytes."""
    return found.decode("utf-8", "surrogateescape")


def _len(value: object) -> int:
    if value is None or isinstance(value, Nil):
        raise Failed("len of nil pointer")
    if isinstance(value, str):
        return len(_bytes(value))
    if isinstance(value, dict | list | tuple):
        return len(value)
    raise Failed(f"len of type {type_name(value)}")


def _index(value: object, *keys: object) -> object:
    if value is None:
        raise Failed("index of untyped nil")
    for key in keys:
        value = _item(value, key)
    return value


def _item(value: object, key: object) -> object:
    if value is None or isinstance(value, Nil):
        raise Failed("index of nil pointer")
    if isinstance(value, dict):
        if key is None:
            raise Failed("value is nil; should be of type string")
        if not isinstance(key, str) or isinstance(key, Number):
            raise Failed(f"value has type {type_name(key)}; should be string")
        return value[key] if key in value else _zero(element_type(value))
    if isinstance(value, str):
        found = _bytes(value)
        return Byte(found[_position(key, len(found), inclusive=False)])
    if isinstance(value, list | tuple):
        return value[_position(key, len(value), inclusive=False)]
    looked_into = type_name(value).removeprefix("*")  # Go looks through a pointer first
    raise Failed(f"can't index item of type {looked_into}")


def _zero(element: str) -> object:
    return "" if element == STRING else None


def _position(key: object, length: int, *, inclusive: bool) -> int:
    if key is None:
        raise Failed("cannot index slice/array with nil")
    if not isinstance(key, int) or isinstance(key, bool):
        raise Failed(f"cannot index slice/array with type {type_name(key)}")
    if not 0 <= key < length + inclusive:
        raise Failed(f"index out of range: {key}")
    return int(key)


def _slice(value: object, *indexes: object) -> object:
    if value is None:
        raise Failed("slice of untyped nil")
    if len(indexes) > 3:
        raise Failed(f"too many slice indexes: {len(indexes)}")
    if isinstance(value, str):
        if len(indexes) == 3:
            raise Failed("cannot 3-index slice a string")
        found = _bytes(value)
        return type(value)(_text(found[slice(*_bounds(indexes, len(found)))]))
    if isinstance(value, list | tuple):
        return Slice(value[slice(*_bounds(indexes, len(value)))], element_type(value))
    raise Failed(f"can't slice item of type {type_name(value)}")


def _bounds(indexes: Sequence[object], length: int) -> tuple[int, int]:
    """Return where a slice begins and ends; the third index only bounds what Go may append."""
    found = [_position(index, length, inclusive=True) for index in indexes]
    whole = found + [0, length, length][len(found) :]
    for lower, upper in pairwise(whole):
        if lower > upper:
            raise Failed(f"invalid slice index: {lower} > {upper}")
    return whole[0], whole[1]


# Text.


def _println(*values: object) -> str:
    return " ".join(map(shown, values)) + "\n"


def _print(*values: object) -> str:
    return spaced(values, shown)


def _printf(layout: str, *values: object) -> str:
    return printf(layout, values)


def _one_text(values: Sequence[object]) -> str:
    """Return the arguments of an escaper as one text."""
    return spaced([NO_VALUE if value is None else value for value in values], plain)


_HTML = str.maketrans(
    {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
)
_JS = {"\\": "\\\\", "'": "\\'", '"': '\\"'}


def _html(*values: object) -> str:
    return _one_text(values).translate(_HTML)


def _js(*values: object) -> str:
    return "".join([_JS.get(c) or _js_character(c) for c in _one_text(values)])


def _js_character(character: str) -> str:
    special = character in "<>&=" or character < " "
    return f"\\u{ord(character):04X}" if special or not _is_shown(character) else character


def _is_shown(character: str) -> bool:
    return character == "\x7f" or character.isprintable()


def _urlquery(*values: object) -> str:
    from urllib.parse import quote

    return quote(_bytes(_one_text(values)), safe=" ").replace(" ", "+")


def _upper(text: str) -> str:
    return text.upper() if text.isascii() else "".join(map(_upper_one, text))


def _upper_one(character: str) -> str:
    """Return the one capital of a character: Go knows none that are two letters."""
    capital = character.upper()
    return capital if len(capital) == 1 else character


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join([c.lower()[:1] for c in text])


def _title(text: str) -> str:
    made, before = [], " "
    for character in text:
        made.append(_upper_one(character) if _separates(before) else character)
        before = character
    return "".join(made)


def _separates(character: str) -> bool:
    if character.isascii():
        return not (character.isalnum() or character == "_")
    return character.isspace()


def _pad(text: str, before: int, after: int) -> str:
    if text == "":
        return text
    for width in (before, after):
        if width < 0:
            raise Failed("strings: negative Repeat count")
        if width > WIDEST:
            raise Failed(f"padding exceeds the limit of {WIDEST}")
    return " " * before + text + " " * after


def _truncate(text: str, length: int) -> str:
    if length < 0:
        raise Failed(f"runtime error: slice bounds out of range [:{length}]")
    return text if length >= len(text) * 4 else _text(_bytes(text)[:length])


def _split(text: str, separator: str) -> Slice:
    return Slice(text.split(separator) if separator else list(text), STRING)


def _join(texts: Sequence[str], separator: str) -> str:
    return separator.join(texts)


def _same_text(text: str, *_: object) -> str:
    return text


FUNCTIONS: Mapping[str, Function] = {
    # `and`, `or` and `call` have rules of their own: see the compiler.
    "and": Function(is_true, (ANY,), ANY),
    "or": Function(is_true, (ANY,), ANY),
    "call": Function(is_true, (ANY,), ANY),
    "not": Function(lambda value: not is_true(value), (ANY,)),
    "eq": Function(_eq, (ANY,), ANY),
    "ne": Function(_ne, (ANY, ANY)),
    "lt": Function(_before, (ANY, ANY)),
    "le": Function(_at_most, (ANY, ANY)),
    "gt": Function(_after, (ANY, ANY)),
    "ge": Function(_at_least, (ANY, ANY)),
    "len": Function(_len, (ANY,)),
    "index": Function(_index, (ANY,), ANY),
    "slice": Function(_slice, (ANY,), ANY),
    "print": Function(_print, (), ANY),
    "printf": Function(_printf, (STRING,), ANY),
    "println": Function(_println, (), ANY),
    "html": Function(_html, (), ANY),
    "js": Function(_js, (), ANY),
    "urlquery": Function(_urlquery, (), ANY),
    # Docker's own.
    "json": Function(to_json, (ANY,)),
    "split": Function(_split, (STRING, STRING)),
    "join": Function(_join, (STRINGS, STRING)),
    "title": Function(_title, (STRING,)),
    "lower": Function(_lower, (STRING,)),
    "upper": Function(_upper, (STRING,)),
    "pad": Function(_pad, (STRING, INT, INT)),
    "truncate": Function(_truncate, (STRING, INT)),
}
# Over the headers of a table these leave the text as it is.
HEADER_FUNCTIONS: Mapping[str, Function] = {
    **FUNCTIONS,
    "json": Function(_same_text, (STRING,)),
    "split": Function(_same_text, (STRING, STRING)),
    "join": Function(_same_text, (STRING, STRING)),
    "title": Function(_same_text, (STRING,)),
    "lower": Function(_same_text, (STRING,)),
    "upper": Function(_same_text, (STRING,)),
    "truncate": Function(_same_text, (STRING, INT)),
}
