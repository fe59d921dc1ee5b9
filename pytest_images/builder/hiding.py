"""What of a build must not be seen: the values of its secrets, wherever they would stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dockerfile.place import without_passwords

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARK = "***"
_SHORTEST = 8  # characters of a secret that stands in an instruction by no chance


class Hiding:
    """Hides *secrets*, line by line: a log knows nothing longer.

    >>> Hiding(["hunter2-hunter2"]).told("the password is hunter2-hunter2")
    'the password is ***'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        lines = {line for secret in secrets for line in secret.splitlines() if line.strip()}
        forms = {form for line in lines for form in _forms(line)}
        self._forms = sorted(forms, key=len, reverse=True)  # one may be the start of another
        self._raw = [line.encode("utf-8", "surrogateescape") for line in lines]
        self._longest = max(map(len, self._raw), default=1)

    def told(self, text: str) -> str:
        """Return *text* as it may be shown."""
        for form in self._forms:
            text = text.replace(form, _MARK)
        return text

    def kept(self, text: str) -> str:
        """Return *text* as it may stand in an image: without passwords in addresses, too."""
        for form in self._forms:
            if len(form) >= _SHORTEST:
                text = text.replace(form, _MARK)
        return without_passwords(text)

    def cut(self, line: bytes) -> int:
        """Return where the start of a line that is too long ends, so that no secret is halved."""
        end = max(0, len(line) - self._longest + 1)  # one may have begun behind that
        before = -1
        while end != before:
            before = end
            for raw in self._raw:
                at = line.find(raw, max(0, end - len(raw) + 1), end + len(raw) - 1)
                end = min(end, at) if at >= 0 else end
        return end

    def hide(self, error: BaseException) -> None:
        """Change what *error*, and the errors behind it, say of secrets."""
        seen: set[int] = set()
        pending: list[BaseException | None] = [error]
        while pending:
            one = pending.pop()
            if one is None or id(one) in seen:
                continue
            seen.add(id(one))
            pending += [one.__cause__, one.__context__]
            one.args = tuple(self._hidden(value) for value in one.args)
            for name, value in list(vars(one).items()):
                setattr(one, name, self._hidden(value))

    def _hidden(self, value: object) -> object:
        if isinstance(value, str):
            return self.told(value)
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return type(value)(map(self.told, value))
        return value


def _forms(line: str) -> set[str]:
    """Return how a line looks, printed by a command or written by us."""
    printed = line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return {line, printed, safe(line), safe(printed)}


def safe(text: str) -> str:
    """Return a line without what would speak to a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in text)
