"""``--filter``, which several commands take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import Option, invalid_value

if TYPE_CHECKING:
    from pytest_images.cli.options import Command, Parsed


def filter_option(help: str, *, short: str = "") -> Option:
    """Return the option as a command declares it."""
    return Option("filter", help, short=short, kind="filter", repeats=True)


def filters_of(parsed: Parsed, command: Command, option: Option) -> tuple[tuple[str, str], ...]:
    """Return the ``--filter`` options as pairs. Raises UsageError."""
    pairs = []
    for text in parsed.texts("filter"):
        key, equals, value = text.partition("=")
        if not equals:
            reason = "bad format of filter (expected name=value)"
            raise invalid_value(command, option, text, reason)
        pairs.append((key.strip().lower(), value.strip()))
    return tuple(pairs)
