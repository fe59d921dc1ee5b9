"""Cache keys: one for each state of a build, made of everything that can change its result."""

from __future__ import annotations

import json
from typing import Any

from pytest_images.model.digest import sha256

VERSION = 3  # another one when a step's result changes for the same inputs


def key_of(kind: str, **parts: Any) -> str:
    """Return the key of what *parts* (plain data, by name) make, as 64 hex digits."""
    document = json.dumps([VERSION, kind, parts], sort_keys=True, separators=(",", ":"))
    return sha256(document.encode("utf-8", "surrogateescape")).hexdigest()
