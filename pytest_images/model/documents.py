"""Bytes to JSON, strictly: what one reader accepts, every reader must read the same.

Duplicate keys, keys that differ in case only, NaN, lone surrogates, deep nesting and
huge integers are refused, for another parser could see another document in them.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pytest_images.errors import InvalidDocument, LimitExceeded

DOCUMENT_LIMIT = 4 << 20  # bytes of a manifest, index or config (distribution's own limit)
DEPTH_LIMIT = 64
_INTEGER_DIGITS = 20
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def load_json(raw: bytes, source: str, limit: int = DOCUMENT_LIMIT) -> Any:
    """Parse *raw* strictly; *source* names it in errors. Raises InvalidDocument, LimitExceeded."""
    if len(raw) > limit:
        raise LimitExceeded(source, "document size in bytes", limit)
    _check_depth(raw, source)
    try:
        text = raw.decode("utf-8")
        document = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_int=_bounded_integer,
        )
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode("utf-8")  # finds lone surrogates
    except (ValueError, RecursionError) as error:
        raise InvalidDocument(source, f"not strict JSON: {error}") from error
    return document


def load_object(raw: bytes, source: str, limit: int = DOCUMENT_LIMIT) -> dict[str, Any]:
    """Parse *raw* strictly as one JSON object."""
    document = load_json(raw, source, limit)
    if not isinstance(document, dict):
        raise InvalidDocument(source, "not a JSON object")
    return document


def _check_depth(raw: bytes, source: str) -> None:
    """Refuse deep nesting before the recursive parser sees it."""
    if raw.count(b"[") + raw.count(b"{") <= DEPTH_LIMIT:
        return
    depth = 0
    for match in _BRACKETS.finditer(raw):
        first = raw[match.start()]
        if first in b"[{":
            depth += 1
            if depth > DEPTH_LIMIT:
                raise LimitExceeded(source, "JSON nesting", DEPTH_LIMIT)
        elif first in b"]}":
            depth -= 1


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key occurs twice in one object")
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _bounded_integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits")
    return int(digits)
