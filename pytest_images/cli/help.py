"""Help as Docker's command line sets it: usage, aliases, options in columns."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from pytest_images.cli.options import PROGRAM
from pytest_images.cli.terminal import watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_images.cli.options import Command, Option, UsageError

WIDTH = 80  # characters, where the output is no terminal
SLOP = 5  # characters by which pflag lets the last line of a text run over
LEAST = 24  # characters; narrower columns are not wrapped


def command_help(command: Command, summary: str, aliases: Iterable[str] = ()) -> str:
    """Return the help of one command."""
    parts = [f"Usage:  {command.usage}\n\n{summary}\n"]
    if names := [f"{PROGRAM} {alias}" for alias in aliases]:
        parts.append(f"\nAliases:\n  {', '.join([command.full, *names])}\n")
    if command.options:
        parts.append(f"\nOptions:\n{_options(command.options)}")
    return "".join(parts)


def group_help(usage: str, summary: str, sections: Mapping[str, Mapping[str, str]]) -> str:
    """Return the help of a command that only holds others; *sections*: title, name, summary."""
    width = max(len(name) for commands in sections.values() for name in commands) + 1
    parts = [f"Usage:  {usage}\n\n{summary}\n"]
    for title, commands in sections.items():
        lines = [f"  {name:{width}} {text}\n" for name, text in commands.items()]
        parts.append(f"\n{title}:\n{''.join(lines)}")
    return "".join(parts)


def global_options(options: Iterable[Option]) -> str:
    """Return the section of options that stand before the command."""
    return f"\nGlobal Options:\n{_options(options)}"


def _options(options: Iterable[Option]) -> str:
    ordered = sorted(options, key=lambda option: option.name)
    heads = [_head(option) for option in ordered]
    indent = max(map(len, heads)) + 3
    width = shutil.get_terminal_size((WIDTH, 24)).columns if watched(sys.stdout) else WIDTH
    return "".join(
        f"{head:{indent}}{wrapped(option.help, indent, width)}\n"
        for head, option in zip(heads, ordered, strict=True)
    )


def _head(option: Option) -> str:
    start = f"  -{option.short}, " if option.short else "      "
    return f"{start}--{option.name} {option.kind}".rstrip()


def wrapped(text: str, indent: int, width: int) -> str:
    """Break *text* as pflag does, further lines *indent* spaces in; its own breaks stay."""
    room = width - indent
    margin = "\n" + " " * indent
    if room < LEAST:
        return text.replace("\n", margin)
    lines, rest = [], text
    while rest:
        line, rest = _split(rest, room - SLOP)
        lines.append(line.replace("\n", margin))
    return margin.join(lines)


def _split(text: str, room: int) -> tuple[str, str]:
    """Cut off what fits; a line break before the last space ends it there."""
    if room + SLOP > len(text):
        return text, ""
    space = max(text.rfind(gap, 0, room) for gap in " \t\n")
    if space <= 0:
        return text, ""
    newline = text.rfind("\n", 0, room)
    cut = newline if 0 < newline < space else space
    return text[:cut], text[cut + 1 :]


def usage_error(error: UsageError) -> str:
    """Return what is printed for a command line that cannot be read."""
    command = error.command
    usage = f"Usage:  {command.usage}\n\n" if command is not None else ""
    full = command.full if command is not None else PROGRAM
    return f"{error.message}\n\n{usage}Run '{full} --help' for more information\n"
