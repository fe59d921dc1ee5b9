"""The lines of a Dockerfile around one that failed, as BuildKit shows them."""

from __future__ import annotations

from pytest_images.dockerfile.place import without_passwords

_AROUND = 4  # lines shown beside those that failed, before and after together
_RULE = "-" * 20
_LONGEST = 500  # characters of a line that are shown


def excerpt(text: bytes, name: str, first: int, last: int) -> str:
    """Return lines *first* to *last* (from 1) of the file *name*, marked, with some around.

    >>> print(excerpt(b"FROM a", "Dockerfile", 1, 1))
    Dockerfile:1
    --------------------
       1 | >>> FROM a
    --------------------
    """
    lines = text.decode("utf-8", "replace").splitlines()
    last = min(max(first, last), len(lines))
    start, end, around = first, last, 0
    while around < _AROUND and (start > 1 or end < len(lines)):
        around += (start > 1) + (end < len(lines))
        start, end = max(1, start - 1), min(len(lines), end + 1)
    shown = [
        f"{number:4} | {'>>>' if first <= number <= last else '   '} {_plain(lines[number - 1])}"
        for number in range(start, end + 1)
    ]
    return "\n".join((f"{name}:{first}", _RULE, *shown, _RULE))


def _plain(line: str) -> str:
    line = without_passwords(line[:_LONGEST])
    return "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in line)
