"""Regular expressions that are compiled when they are first needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr

__all__ = ["regex"]

if TYPE_CHECKING:
    from re import compile as regex
else:

    class regex:
        """What `re.compile` returns, without the wait: a quarter of a millisecond on average.

        A build names 50 of them and needs 15.
        """

        def __init__(self, text: AnyStr, flags: int = 0) -> None:
            self._arguments = text, flags

        def __getattr__(self, name: str) -> Any:
            found = getattr(re.compile(*self._arguments), name)
            setattr(self, name, found)  # the next time this is not asked
            return found
