"""Parser directives: ``# name=value`` at the very top (reference, "Parser directives")."""

from __future__ import annotations

from pytest_images.dockerfile.malformed import Malformed
from pytest_images.regex import regex

NAMES = frozenset({"syntax", "escape", "check"})
ESCAPES = frozenset({"\\", "`"})
_DIRECTIVE = regex(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S|\S.*\S)\s*")


class Directives:
    """Takes the lines from the top on until one is no directive; from then on nothing is one."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.are_over = False

    @property
    def escape(self) -> str:
        """The escape character: a backslash unless a directive says backtick."""
        return self.found.get("escape", "\\")

    def take(self, line: str) -> bool:
        """Return whether *line* (without leading space) is one. Raises Malformed."""
        can_be = line.startswith("#") and not self.are_over
        match = _DIRECTIVE.fullmatch(line) if can_be else None
        name = match[1].lower() if match else ""
        if match is None or name not in NAMES:
            self.are_over = True
            return False
        if name in self.found:
            raise Malformed(f"only one {name} parser directive can be used")
        if name == "escape" and match[2] not in ESCAPES:
            raise Malformed(f"invalid escape token '{match[2]}' does not match ` or \\")
        self.found[name] = match[2]
        return True
