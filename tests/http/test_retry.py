from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pytest_images.http.limits import Limits
from pytest_images.http.retry import Attempts, asked_wait


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("3", 3.0),
        (" 7 ", 7.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        (None, None),
    ],
)
def test_seconds_are_read_and_garbage_is_not(text: str | None, seconds: float | None) -> None:
    assert asked_wait(text) == seconds


def test_a_date_is_the_time_until_then() -> None:
    then = datetime.now(UTC) + timedelta(seconds=100)
    assert 95 < (asked_wait(format_datetime(then)) or 0) <= 100
    assert asked_wait("Mon, 01 Jan 2001 00:00:00 GMT") == 0.0
    assert asked_wait("Mon, 01 Jan 2001 00:00:00 -0000") == 0.0


def test_what_a_server_asks_is_capped() -> None:
    attempts = Attempts(Limits(retry_after=30, patience=60), idempotent=True)
    assert attempts.wait_after_answer(429, str(10**9)) == 30
    assert attempts.wait_after_answer(429, str(10**9)) == 30
    assert attempts.wait_after_answer(429, str(10**9)) is None


def test_tries_come_to_an_end_and_waits_grow() -> None:
    attempts = Attempts(Limits(attempts=4, backoff=1, backoff_cap=3), idempotent=True)
    waits = [attempts.wait_after_failure() for _ in range(4)]
    assert waits[3] is None
    for wait, longest in zip(waits, (1, 2, 3), strict=False):
        assert wait is not None
        assert longest / 2 <= wait <= longest


@pytest.mark.parametrize(
    ("status", "again"), [(500, False), (503, False), (429, True), (404, False)]
)
def test_what_is_not_idempotent_is_sent_again_only_when_nothing_was_done(
    status: int, again: bool
) -> None:
    attempts = Attempts(Limits(), idempotent=False)
    assert (attempts.wait_after_answer(status, "0") is not None) is again
    assert attempts.wait_after_failure() is None
