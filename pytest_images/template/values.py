"""Values as Go sees them: what a template asks of a value depends on its type there.

Python's own stand for Go's: str string, int int, float float64, bool bool, None nil,
dict ``map[string]interface {}``, list ``[]interface {}``. The others are here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

ANY: Final = "interface {}"
_TYPES: dict[type, str] = {
    str: "string",
    int: "int",
    bool: "bool",
    float: "float64",
    type(None): "<nil>",
}


class Struct:
    """A value with named fields, each computed when it is asked for.

    A subclass says its Go type, the fields in their order, and, where a field has another
    name in JSON, that name ("" leaves it out, a trailing ``?`` leaves it out when empty).
    """

    __slots__ = ()
    go_type: ClassVar[str]
    go_fields: ClassVar[Mapping[str, Callable[[Any], object]]]
    go_pointer: ClassVar[bool] = False  # whether Go would hold it by its address
    go_json: ClassVar[Mapping[str, str]] = {}
    go_embedded: ClassVar[tuple[str, ...]] = ()  # fields whose own fields count as its own

    def go_text(self) -> str | None:
        """Return what prints instead of the fields, as a Go ``String()`` does."""
        return None

    def go_json_text(self) -> str | None:
        """Return the JSON that stands for it instead of its fields, as ``MarshalJSON()`` does."""
        return None


class Map(dict[str, Any]):
    """A map whose values have one type; *absent* is Go's nil, which JSON shows as null."""

    __slots__ = ("absent", "element")

    def __init__(self, items: Mapping[str, Any] | None, element: str) -> None:
        super().__init__(items or {})
        self.absent, self.element = items is None, element


class Slice(list[Any]):
    """A list whose elements have one type; *absent* is Go's nil, which JSON shows as null."""

    __slots__ = ("absent", "element")

    def __init__(self, items: Iterable[Any] | None, element: str) -> None:
        super().__init__(items or ())
        self.absent, self.element = items is None, element


class Nil:
    """A pointer to nothing."""

    __slots__ = ("go_type",)

    def __init__(self, go_type: str) -> None:
        self.go_type = go_type

    def __bool__(self) -> bool:
        return False


class Number(str):
    """A number of a JSON document, kept as it was written: to a template it is a text."""

    __slots__ = ()


class Int64(int):
    """A whole number that Go holds in 64 bits by its type's name."""

    __slots__ = ()


class Duration(Int64):
    """A length of time in nanoseconds."""

    __slots__ = ()

    def go_text(self) -> str:
        """Return it in words, as Go does: ``1m30s``."""
        return _duration(int(self))


class Byte(int):
    """An element of a text."""

    __slots__ = ()


_TYPES |= {Number: "json.Number", Int64: "int64", Byte: "uint8", Duration: "time.Duration"}
_SECOND = 10**9


def _duration(length: int) -> str:
    if length == 0:
        return "0s"
    sign, length = "-" * (length < 0), abs(length)
    for unit, name in ((1, "ns"), (1000, "µs"), (10**6, "ms")):
        if length < min(unit * 1000, _SECOND):
            return f"{sign}{_decimal(length, unit)}{name}"
    minutes, rest = divmod(length, 60 * _SECOND)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h{minutes}m" if hours else f"{minutes}m" * bool(minutes)
    return f"{sign}{text}{_decimal(rest, _SECOND)}s"


def _decimal(length: int, unit: int) -> str:
    """Return *length* in *unit*, with the digits after the point that it needs."""
    whole, rest = divmod(length, unit)
    digits = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)


def type_name(value: object) -> str:
    """Return the name of the Go type of *value*.

    >>> type_name({"a": 1}), type_name(Slice(["a"], "string"))
    ('map[string]interface {}', '[]string')
    """
    known = _TYPES.get(type(value))
    if known is not None:
        return known
    if isinstance(value, dict):
        return f"map[string]{element_type(value)}"
    if isinstance(value, list | tuple):
        return f"[]{element_type(value)}"
    if isinstance(value, Struct) and value.go_pointer:
        return f"*{value.go_type}"
    return str(getattr(value, "go_type", type(value).__name__))


def element_type(value: object) -> str:
    """Return the name of the type that the elements of a map or list have."""
    return str(getattr(value, "element", ANY))


def is_true(value: object) -> bool:
    """Whether *value* counts as true: not zero, not empty, not nil; a struct always does."""
    return isinstance(value, Struct) or bool(value)


def has_text(value: object) -> bool:
    """Whether *value* is Go's string itself, and no type made of it."""
    return isinstance(value, str) and not isinstance(value, Number)
