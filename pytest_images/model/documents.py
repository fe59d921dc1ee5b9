"""Bytes to JSON, strictly: what one reader accepts, every reader must read the same.

Duplicate keys, keys that differ in case only, NaN, lone surrogates, deep nesting and
huge numbers are refused, for another parser could see another document in them. Go's
parser, which Docker and Podman use, takes a key in any case.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from pytest_images.errors import InvalidDocument, LimitExceeded, shown
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Collection

DOCUMENT_LIMIT = 4 << 20  # bytes of a manifest, index or config (distribution's own limit)
DEPTH_LIMIT = 64
ITEM_LIMIT = 100_000  # values: bounds the memory that parsing takes, to some 100 bytes each
_INTEGER_DIGITS = 20
_FRACTION_DIGITS = 400
# A string that does not end is taken to the end of the bytes, or each of its quotes would
# be tried as a start again: linear time.
_STRINGS = regex(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(c for c in range(256) if c not in b"[]{}")


def load_json(raw: bytes, source: str, limit: int = DOCUMENT_LIMIT) -> Any:
    """Parse *raw* strictly; *source* names it in errors. Raises InvalidDocument, LimitExceeded.

    >>> load_json(b'{"a": 1, "a": 2}', "example")
    Traceback (most recent call last):
        ...
    pytest_images.errors.InvalidDocument: example: invalid document: not strict JSON: the key \
"a" occurs twice in one object
    """
    if len(raw) > limit:
        raise LimitExceeded(source, "document size in bytes", limit)
    _check_shape(raw, source)
    try:
        text = raw.decode("utf-8")
        document = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_int=_bounded_integer,
            parse_float=_finite_fraction,
        )
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode("utf-8")  # finds lone surrogates
    except UnicodeError as error:
        raise InvalidDocument(source, f"not strict JSON: text is not UTF-8: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(source, f"not strict JSON: {error}") from None
    return document


def load_object(raw: bytes, source: str, limit: int = DOCUMENT_LIMIT) -> dict[str, Any]:
    """Parse *raw* strictly as one JSON object."""
    document = load_json(raw, source, limit)
    if not isinstance(document, dict):
        raise InvalidDocument(source, "not a JSON object")
    return document


def exact_fields(document: dict[str, Any], known: Collection[str], source: str) -> None:
    """Refuse a key that differs from a *known* field in case only.

    Manifests and indexes are written by programs, which spell fields as specified.
    """
    folded = {name.casefold() for name in known}
    for key in document:
        if key not in known and key.casefold() in folded:
            raise InvalidDocument(source, f'the key "{shown(key)}" is a field in another case')


def folded_fields(document: dict[str, Any], known: Collection[str], source: str) -> dict[str, Any]:
    """Return *document* with *known* fields under their own spelling, whatever case they have.

    Settings of a config are written by people too (``cmd`` for ``Cmd`` works with Docker).
    Two spellings of one field are refused: which of them counts would depend on the reader.
    """
    spelling = {name.casefold(): name for name in known}
    fields: dict[str, Any] = {}
    for key, value in document.items():
        name = spelling.get(key.casefold(), key)
        if name in fields:
            raise InvalidDocument(source, f'the keys "{name}" differ in case only')
        fields[name] = value
    return fields


def _check_shape(raw: bytes, source: str) -> None:
    """Refuse deep nesting and too many items before the recursive parser sees them."""
    opened = raw.count(b"[") + raw.count(b"{")
    if opened <= DEPTH_LIMIT and raw.count(b",") <= ITEM_LIMIT:
        return
    if raw.count(b'"') > 4 * ITEM_LIMIT:  # two a string, a key and its value
        raise LimitExceeded(source, "number of JSON values", ITEM_LIMIT)
    bare = _STRINGS.sub(b"", raw)
    if bare.count(b",") > ITEM_LIMIT:
        raise LimitExceeded(source, "number of JSON values", ITEM_LIMIT)
    steps = map(_STEPS.__getitem__, bare.translate(None, _NO_BRACKETS))
    if max(accumulate(steps), default=0) > DEPTH_LIMIT:
        raise LimitExceeded(source, "JSON nesting", DEPTH_LIMIT)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError(f'the key "{shown(_twice(pairs))}" occurs twice in one object')
    return document


def _twice(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return key
        seen.add(key)
    return ""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _bounded_integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits")
    return int(digits)


def _finite_fraction(digits: str) -> float:
    if len(digits) > _FRACTION_DIGITS or not math.isfinite(number := float(digits)):
        raise ValueError("a fraction beyond what a double can hold")
    return number
