"""Flags of instructions: ``--name=value``, given once unless they may repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dockerfile.malformed import Malformed, hint
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Known(NamedTuple):
    """The flags that an instruction takes, by what their values are."""

    texts: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()


class Flags:
    """The flags given to one instruction. Raises Malformed."""

    def __init__(self, given: Sequence[str], known: Known) -> None:
        self._values: dict[str, list[str]] = {}
        names = known.texts | known.lists | known.switches
        for flag in given:
            name, equals, value = flag[2:].partition("=")
            if name not in names:
                near = hint(f"--{name}", sorted(f"--{name}" for name in names))
                raise Malformed(f"unknown flag: --{name}{near}")
            if name in self._values and name not in known.lists:
                raise Malformed(f"duplicate flag specified: --{name}")
            if name in known.switches:
                value = _truth(name, value, has_value=bool(equals))
            elif not equals:
                raise Malformed(f"missing a value on flag: --{name}")
            self._values.setdefault(name, []).append(value)

    def text(self, name: str, default: str = "") -> str:
        """Return the value of a flag."""
        return self._values.get(name, [default])[0]

    def list(self, name: str) -> tuple[str, ...]:
        """Return all values of a flag that may repeat."""
        return tuple(self._values.get(name, ()))

    def switch(self, name: str) -> bool | None:
        """Return what a switch says, None when it is not given."""
        return None if name not in self._values else self._values[name][0] == "true"


def _truth(name: str, value: str, *, has_value: bool) -> str:
    if has_value and not value:
        raise Malformed(f"missing a value on flag: --{name}")
    if value.lower() not in ("", "true", "false"):
        raise Malformed(f"expecting boolean value for flag --{name}, not: {value}")
    return value.lower() or "true"
