"""Go's printf: verbs, flags, widths, and what it leaves where a verb does not fit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_images.regex import regex
from pytest_images.template.lexer import code_point, quoted
from pytest_images.template.text import composite, float_text, misfit, shown
from pytest_images.template.values import Duration, Nil, Number, Struct, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDEST = 1_000_000  # characters of a width or digits of a precision, as in Go
_DIRECTIVE = regex(
    r"%(?P<flags>[-+# 0]*)"
    r"(?P<width_index>\[[^\]]*\])?(?P<width>\*|\d*)"
    r"(?:(?P<point>\.)(?P<precision_index>\[[^\]]*\])?(?P<precision>\*|\d*))?"
    r"(?P<index>\[[^\]]*\])?(?P<verb>.?)",
    re.DOTALL,
)
_BASES = {"d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES = {"b": "0b", "o": "0", "O": "0o", "x": "0x", "X": "0X"}


class Style:
    """How one directive wants its value."""

    __slots__ = ("flags", "precision", "verb", "width")

    def __init__(self, verb: str, flags: str, width: int, precision: int) -> None:
        self.verb, self.flags, self.width, self.precision = verb, flags, width, precision


def printf(layout: str, arguments: Sequence[object]) -> str:
    """Return *arguments* set into *layout*.

    >>> printf("%-6s|%5.1f|%d", ["ab", 2.25, "x"])
    'ab    |  2.2|%!d(string=x)'
    """
    setting = _Setting(arguments)
    text = _DIRECTIVE.sub(setting.set, layout)
    return text + setting.extra()


class _Setting:
    """The state of `printf`: which argument is next."""

    def __init__(self, arguments: Sequence[object]) -> None:
        self.arguments, self.next_one = arguments, 0
        self.reordered, self.bad = False, False

    def set(self, match: re.Match[str]) -> str:
        """Return what stands for one directive."""
        self.bad = False
        flags, verb = match["flags"], match["verb"]
        width, flags, problem = self._width(match, flags)
        precision, also = self._precision(match)
        self._move(match["index"])
        if not verb:
            return f"{problem}{also}%!(NOVERB)"
        if verb == "%":
            return f"{problem}{also}%"
        if self.bad:
            return f"{problem}{also}%!{verb}(BADINDEX)"
        if self.next_one >= len(self.arguments):
            return f"{problem}{also}%!{verb}(MISSING)"
        value = self.arguments[self.next_one]
        self.next_one += 1
        return problem + also + formatted(value, Style(verb, flags, width, precision))

    def extra(self) -> str:
        """Return what is said of arguments that no directive took."""
        if self.reordered or self.next_one >= len(self.arguments):
            return ""
        left = [
            "<nil>" if value is None else f"{type_name(value)}={shown(value)}"
            for value in self.arguments[self.next_one :]
        ]
        return f"%!(EXTRA {', '.join(left)})"

    def _width(self, match: re.Match[str], flags: str) -> tuple[int, str, str]:
        self._move(match["width_index"])
        if match["width"] != "*":
            return min(int(match["width"][:8] or 0), WIDEST), flags, ""
        width = self._taken()
        if width is None:
            return 0, flags, "%!(BADWIDTH)"
        return abs(width), flags + "-" * (width < 0), ""

    def _precision(self, match: re.Match[str]) -> tuple[int, str]:
        if not match["point"]:
            return -1, ""
        self._move(match["precision_index"])
        if match["precision"] != "*":
            return min(int(match["precision"][:8] or 0), WIDEST), ""
        precision = self._taken()
        if precision is None or precision < 0:
            return -1, "%!(BADPREC)"
        return precision, ""

    def _taken(self) -> int | None:
        """Return the next argument as a width or precision, None if it cannot be one."""
        if self.next_one >= len(self.arguments):
            return None
        value = self.arguments[self.next_one]
        self.next_one += 1
        fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= WIDEST
        return int(value) if fits and isinstance(value, int) else None

    def _move(self, index: str | None) -> None:
        """Make ``[n]`` the next argument."""
        if not index:
            return
        self.reordered = True
        digits = index[1:-1]
        number = int(digits) if re.fullmatch("[0-9]{1,8}", digits) else 0
        if 1 <= number <= len(self.arguments):
            self.next_one = number - 1
        else:
            self.bad = True


def formatted(value: object, style: Style) -> str:
    """Return *value* as one directive wants it."""
    if style.verb == "T":
        return _padded(type_name(value), style)
    if style.verb == "v" and "#" in style.flags:
        return _padded(_as_source(value), style)
    if value is None or isinstance(value, Nil):
        return _padded(_nothing(value, style.verb), style)
    if isinstance(value, Struct | Duration) and style.verb in "svqxX":
        own = value.go_text()
        if own is not None:
            return _string(own, style)
    for kinds, show in _KINDS:
        if isinstance(value, kinds):
            return show(value, style)
    return _composite(value, style)


def _nothing(value: object, verb: str) -> str:
    if verb == "v":
        return "<nil>"
    return "0" if isinstance(value, Nil) and verb in "bdoxX" else misfit(verb, value)


def _bool(value: object, style: Style) -> str:
    if style.verb not in "tv":
        return misfit(style.verb, value)
    return _padded("true" if value else "false", style)


def _string(value: object, style: Style) -> str:
    text, verb = str(value), style.verb
    if verb in "sv":
        return _padded(_cut(text, style), style)
    if verb == "q":
        return _padded(_quoted(_cut(text, style), style), style)
    if verb in "xX":
        separator = " " if " " in style.flags else ""
        found = text.encode("utf-8", "surrogateescape")
        found = found[: style.precision] if style.precision >= 0 else found
        digits = found.hex(separator) if separator else found.hex()
        prefix = "0x" * ("#" in style.flags and bool(digits))
        digits = prefix + digits
        return _padded(digits.upper() if verb == "X" else digits, style)
    return misfit(verb, value)


def _quoted(text: str, style: Style) -> str:
    if "#" in style.flags and "`" not in text and text.isprintable():
        return f"`{text}`"
    made = quoted(text)
    if "+" not in style.flags:
        return made
    return "".join([c if c.isascii() else quoted_ascii(c) for c in made])


def quoted_ascii(character: str) -> str:
    r"""Return one character as ``\u00e9``."""
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _int(value: object, style: Style) -> str:
    assert isinstance(value, int)  # noqa: S101 - what _KINDS says
    verb = "d" if style.verb == "v" else style.verb
    if verb in _BASES:
        return _number(_digits(int(value), verb, style), style)
    if verb in "cqU":
        return _character(int(value), verb, style)
    return misfit(style.verb, value)


def _digits(value: int, verb: str, style: Style) -> str:
    digits = f"{abs(value):{_BASES[verb]}}"
    if style.precision >= 0:
        digits = "" if style.precision == 0 and value == 0 else digits.zfill(style.precision)
    elif "0" in style.flags and "-" not in style.flags and style.width:
        signed = value < 0 or "+" in style.flags or " " in style.flags
        digits = digits.zfill(style.width - signed)
    prefix = _PREFIXES.get(verb, "") if "#" in style.flags or verb == "O" else ""
    return _sign(value < 0, style) + prefix + digits


def _character(value: int, verb: str, style: Style) -> str:
    character = chr(value) if 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000 else "\ufffd"
    if verb == "c":
        return _padded(character, style)
    if verb == "q":
        return _padded(quoted(character, "'"), style)
    shown_point = code_point(character) if "#" in style.flags else f"U+{value:04X}"
    return _padded(shown_point, style)


def _float(value: object, style: Style) -> str:
    assert isinstance(value, float)  # noqa: S101 - what _KINDS says
    verb = {"v": "g", "F": "f"}.get(style.verb, style.verb)
    if verb in "gG":
        text = float_text(abs(value), style.precision, verb)
        text = text.upper() if verb == "G" else text
    elif verb in "feE":
        text = float_text(abs(value), 6 if style.precision < 0 else style.precision, verb)
    elif verb in "xX" and style.precision < 0:
        text = _hex(abs(value))
        text = text.upper() if verb == "X" else text
    else:
        return misfit(style.verb, value)
    sign = _sign(str(value)[0] == "-", style)
    if "0" in style.flags and "-" not in style.flags:
        text = text.zfill(style.width - len(sign))
    return _number(sign + text, style)


def _hex(value: float) -> str:
    """Return a float as ``0x1.8p+00``: as few digits as it has."""
    mantissa, _, exponent = value.hex().partition("p")
    digits = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{digits}p{exponent[0]}{exponent[1:]:>02}"


def _sign(negative: bool, style: Style) -> str:
    return "-" if negative else "+" if "+" in style.flags else " " if " " in style.flags else ""


def _composite(value: object, style: Style) -> str:
    def show(inner: object) -> str:
        return formatted(inner, style)

    pointer = "&" if isinstance(value, Struct) and value.go_pointer else ""
    return pointer + composite(value, show, names="+" in style.flags and style.verb == "v")


def _cut(text: str, style: Style) -> str:
    return text if style.precision < 0 else text[: style.precision]


def _number(text: str, style: Style) -> str:
    """Return a number in its width; zeros were put between sign and digits before."""
    return text.ljust(style.width) if "-" in style.flags else text.rjust(style.width)


def _padded(text: str, style: Style) -> str:
    if "-" in style.flags:
        return text.ljust(style.width)
    return text.rjust(style.width, "0" if "0" in style.flags else " ")


def _as_source(value: object) -> str:
    """Return *value* as ``%#v`` shows it: as Go source."""
    name = type_name(value)
    if isinstance(value, Nil) or getattr(value, "absent", False):
        return f"({name})(nil)" if isinstance(value, Nil) else f"{name}(nil)"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        pairs = [f"{quoted(key)}:{_inner_source(value[key])}" for key in sorted(value)]
        return f"{name}{{{', '.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"{name}{{{', '.join(map(_inner_source, value))}}}"
    if isinstance(value, Struct):
        fields = [f"{key}:{_inner_source(get(value))}" for key, get in value.go_fields.items()]
        return f"{'&' * value.go_pointer}{value.go_type}{{{', '.join(fields)}}}"
    return shown(value)


def _inner_source(value: object) -> str:
    return "interface {}(nil)" if value is None else _as_source(value)


_KINDS: tuple[tuple[type | tuple[type, ...], Callable[[object, Style], str]], ...] = (
    (bool, _bool),
    ((str, Number), _string),
    (int, _int),
    (float, _float),
)
