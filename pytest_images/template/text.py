"""Values as text, as Go's fmt prints them with ``%v``."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from pytest_images.template.values import Duration, Nil, Struct, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NO_VALUE = "<no value>"
ADDRESS = "0xc000000000"  # what stands for the address of something inside something else


def printed(value: object) -> str:
    """Return what an action prints: pointers are followed, nothing is ``<no value>``."""
    if value is None:
        return NO_VALUE
    return plain(value)


def plain(value: object) -> str:
    """Return *value* as ``%v`` shows it, a struct behind a pointer without its ``&``."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]  # the test above is the fast one
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return float_text(value)  # type: ignore[arg-type]  # as above
    return composite(value, plain)


def composite(value: object, show: Callable[[object], str], *, names: bool = False) -> str:
    """Return a value made of others, each shown by *show*; *names* adds those of fields."""
    if value is None or isinstance(value, Nil):
        return "<nil>"
    if isinstance(value, dict):
        pairs = [f"{show(key)}:{_inside(value[key], show)}" for key in sorted(value)]
        return f"map[{' '.join(pairs)}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join([_inside(item, show) for item in value])}]"
    if isinstance(value, Struct | Duration):
        own = value.go_text()
        if own is not None:
            return own
    if isinstance(value, Struct):
        shown = [(name, _inside(get(value), show)) for name, get in value.go_fields.items()]
        return f"{{{' '.join([f'{n}:{text}' if names else text for n, text in shown])}}}"
    return str(value)


def _inside(value: object, show: Callable[[object], str]) -> str:
    if isinstance(value, Struct) and value.go_pointer:
        return ADDRESS
    return "<nil>" if value is None else show(value)


def float_text(value: float, precision: int = -1, verb: str = "g") -> str:
    """Return a float as ``%g`` shows it: the fewest digits that read back as the same."""
    if not isfinite(value):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
    if precision >= 0:
        return f"{value:.{precision}{verb}}"
    mantissa, _, exponent = f"{value!r}".partition("e")
    sign = "-" if mantissa[0] == "-" else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return sign + _placed(digits.rstrip("0"), point)


def _placed(digits: str, point: int) -> str:
    """Return *digits* with the decimal point after *point* of them, or with an exponent."""
    if not digits:
        return "0"
    if not -4 < point <= 6:
        return _scientific(digits, point - 1)
    if point <= 0:
        return f"0.{'0' * -point}{digits}"
    if point >= len(digits):
        return digits + "0" * (point - len(digits))
    return f"{digits[:point]}.{digits[point:]}"


def _scientific(digits: str, exponent: int) -> str:
    rest = f".{digits[1:]}" if digits[1:] else ""
    return f"{digits[0]}{rest}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def spaced(values: Iterable[object], show: Callable[[object], str]) -> str:
    """Return *values* as Go's Sprint does: a space between two that are no strings."""
    parts: list[str] = []
    before: object = ""
    for value in values:
        if parts and not isinstance(value, str) and not isinstance(before, str):
            parts.append(" ")
        parts.append(show(value))
        before = value
    return "".join(parts)


def shown(value: object) -> str:
    """Return *value* as ``%v`` shows it, a struct behind a pointer with its ``&``."""
    if isinstance(value, Struct) and value.go_pointer and value.go_text() is None:
        return f"&{plain(value)}"
    return plain(value)


def misfit(verb: str, value: object) -> str:
    """Return what printf leaves where *verb* does not fit *value*."""
    if value is None:
        return f"%!{verb}(<nil>)"
    return f"%!{verb}({type_name(value)}={shown(value)})"
