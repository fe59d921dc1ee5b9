"""Text that must not be seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that no repr, log line, report or pickle shows; `reveal` gives it."""

    _text: str = ""

    def reveal(self) -> str:
        """Return the text itself, for the one place that must send it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret('***')" if self._text else "Secret()"

    __str__ = __repr__

    def __reduce__(self) -> tuple[type[Secret], tuple[()]]:
        return Secret, ()
