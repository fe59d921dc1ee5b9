"""Long lists a page at a time: ``n``, ``last`` and the Link to the next page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass
from pytest_images.server.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.server.wire import Request

PAGE_LIMIT = 1000  # entries, whatever a client asks for
_DIGITS = 19


@dataclass(slots=True)
class Page:
    """What a client asks for: at most ``count`` entries after ``last``."""

    path: str
    count: int
    last: str

    @classmethod
    def asked(cls, request: Request) -> Page:
        """Read ``n`` and ``last``; refuse an ``n`` that is no number of entries."""
        text = request.parameter("n")
        if text is None:
            count = PAGE_LIMIT
        elif text.isascii() and text.isdecimal() and len(text) <= _DIGITS:
            count = min(int(text), PAGE_LIMIT)
        else:
            message = "the parameter n is not a number of entries"
            raise Refusal(400, "PAGINATION_NUMBER_INVALID", message)
        return cls(request.path, count, request.parameter("last") or "")

    def cut(self, found: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
        """Return the page and its Link header, if *found* (sorted, after ``last``) has more."""
        page = list(found[: self.count])
        if not page or len(found) <= self.count:
            return page, []
        from urllib.parse import quote

        link = f"<{self.path}?n={self.count}&last={quote(page[-1], safe='')}>"
        return page, [("Link", f'{link}; rel="next"')]
