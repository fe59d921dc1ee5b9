"""Where a build differs from its judge's on purpose: what makes the two equal.

Each has a row in docs/differences.md. A case names those it meets; one that is not there any
more fails it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Lines = list[str]

RULES: dict[str, Callable[[Lines, Lines], tuple[Lines, Lines]]] = {}
