"""Values as JSON, as Go's encoder writes them: keys sorted, numbers as they were."""

from __future__ import annotations

import json
import math
import re

from pytest_images.errors import InvalidTemplate
from pytest_images.regex import regex
from pytest_images.template.text import float_text
from pytest_images.template.values import Nil, Number, Struct

_CONTROLS = regex("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def to_json(value: object) -> str:
    """Return *value* as JSON on one line.

    >>> to_json({"b": 1, "a": ["<", 1e6]})
    '{"a":["<",1000000],"b":1}'
    """
    if value is None or isinstance(value, Nil) or getattr(value, "absent", False):
        return "null"
    if isinstance(value, str):
        return str(value) if isinstance(value, Number) else _string(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dict):
        pairs = [f"{_string(key)}:{to_json(value[key])}" for key in sorted(value)]
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, Struct):
        return _struct(value)
    return f"[{','.join(map(to_json, value))}]"  # type: ignore[call-overload]  # what is left


def _number(value: float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, int) else _float(value)


def _struct(value: Struct) -> str:
    own = value.go_json_text()
    return f"{{{','.join(_pairs(value))}}}" if own is None else own


def _pairs(value: Struct) -> list[str]:
    found = []
    for name, getter in value.go_fields.items():
        field = getter(value)
        if name in value.go_embedded and isinstance(field, Struct):
            found += _pairs(field)
            continue
        key = value.go_json.get(name, name)
        left_out = key.endswith("?") and not field and not isinstance(field, Struct)
        if key and not left_out:
            found.append(f"{_string(key.rstrip('?'))}:{to_json(field)}")
    return found


def _string(text: str) -> str:
    made = json.dumps(text, ensure_ascii=False)
    if made.isascii() and "\x7f" not in made:
        return made
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", made)


def _float(value: float) -> str:
    if not math.isfinite(value):
        raise InvalidTemplate(f"json: unsupported value: {float_text(value)}")
    size = abs(value)
    if size == 0 or 1e-6 <= size < 1e21:
        return f"{value:.0f}" if value == int(value) else _positional(value)
    return re.sub(r"e([+-])0(\d)$", r"e\1\2", float_text(value))


def _positional(value: float) -> str:
    from decimal import Decimal

    return f"{Decimal(repr(value)):f}"
