"""Text that must not be seen."""

from __future__ import annotations

from typing import Any, NoReturn, Self


class Secret:
    """A text that no repr, log line, report or pickle shows; `reveal` gives it.

    Not a dataclass on purpose: ``asdict`` and pytest's comparisons open those.

    >>> Secret("hunter2"), f"{Secret('hunter2')}", Secret("hunter2").reveal()
    (Secret('***'), "Secret('***')", 'hunter2')
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str = "") -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """Return the text itself, for the one place that must send it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret('***')" if self._text else "Secret()"

    __str__ = __repr__

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a secret cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a secret cannot be changed: {name}")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Secret], tuple[()]]:
        return Secret, ()  # what travels to another process or to disk is the empty secret

    def __getstate__(self) -> None:
        """Give nothing away to what serialises by state."""
