"""Whether a person watches, and text that cannot play tricks on the terminal."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

# Control characters of both sets (JSON itself leaves the second), halves of surrogate pairs
# (not encodable), and the line separators that Go's JSON escapes too.
_UNSAFE = "[\x7f-\x9f\u2028\u2029\ud800-\udfff]"
_CONTROLS = _UNSAFE[:-1] + "\x00-\x08\x0b-\x1f]"  # all but tab and line feed


def draws() -> bool:
    """Whether standard output is a terminal that moving bars can be drawn on."""
    return watched(sys.stdout) and os.environ.get("TERM", "") not in ("", "dumb")


def watched(stream: Any) -> bool:
    """Whether *stream* is open and a terminal."""
    return stream is not None and not stream.closed and bool(stream.isatty())


def confirmed(warning: str) -> bool:
    """Ask whether to go on; only ``y`` says so, and nobody there says no."""
    print(f"{warning}\nAre you sure you want to continue? [y/N] ", end="", flush=True)
    answer = sys.stdin.readline() if sys.stdin is not None else ""
    return answer.rstrip("\r\n").lower() == "y"


def json_text(document: object, *, indent: int | None = None) -> str:
    """Return *document* as JSON that is safe to show; readers get the same values back."""
    import json

    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(document, indent=indent, separators=separators, ensure_ascii=False)
    if text.isascii() and "\x7f" not in text:
        return text
    return re.sub(_UNSAFE, lambda match: f"\\u{ord(match[0]):04x}", text)


def go_json(document: object) -> str:
    """Return *document* as one line of JSON with the escapes of Go's encoder."""
    text = json_text(document)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def plain(text: str) -> str:
    r"""Return *text* with control characters escaped, all but tab and line feed.

    >>> print(plain("\x1b[2J"))
    \x1b[2J
    """
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_CONTROLS, lambda match: ascii(match[0])[1:-1], text)
