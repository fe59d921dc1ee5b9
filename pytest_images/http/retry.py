"""When to ask again, and how long to wait before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.regex import regex

if TYPE_CHECKING:
    from pytest_images.http.limits import Limits

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
NOT_DONE = frozenset({429})  # the server says it did nothing: even a POST may be sent again
_SECONDS = regex(r"[0-9]{1,18}")


class Attempts:
    """The tries of one request: how many are left, and how much waiting."""

    def __init__(self, limits: Limits, *, idempotent: bool) -> None:
        self._limits, self._idempotent = limits, idempotent
        self._patience = limits.patience
        self.made = 0

    def wait_after_failure(self) -> float | None:
        """Return the seconds to wait after a broken connection, None to give up."""
        return self._next(None) if self._idempotent else None

    def wait_after_answer(self, status: int, retry_after: str | None) -> float | None:
        """Return the seconds to wait after an answer of *status*, None to take it as it is."""
        if status not in (TRANSIENT if self._idempotent else NOT_DONE):
            return None
        return self._next(asked_wait(retry_after))

    def _next(self, asked: float | None) -> float | None:
        self.made += 1
        if self.made >= self._limits.attempts:
            return None
        wait = self._backoff() if asked is None else min(asked, self._limits.retry_after)
        if wait > self._patience:
            return None
        self._patience -= wait
        return wait

    def _backoff(self) -> float:
        """Full jitter over a doubling wait, so that many clients do not come back together."""
        from random import uniform

        longest = min(self._limits.backoff * 2.0 ** (self.made - 1), self._limits.backoff_cap)
        return longest * uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing


def asked_wait(retry_after: str | None) -> float | None:
    """Read ``Retry-After`` (RFC 9110, 10.2.3): seconds or a date; None where it says nothing."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text[:64])
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
