from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pytest_images.engine.moments import moment
from pytest_images.errors import InvalidUsage

NOW = datetime(2024, 5, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1136073845.5", datetime(2006, 1, 1, 0, 4, 5, 500_000, UTC)),
        ("2006-01-02T15:04:05Z", datetime(2006, 1, 2, 15, 4, 5, 0, UTC)),
        ("2006-01-02T15:04:05.999999999Z", datetime(2006, 1, 2, 15, 4, 5, 999_999, UTC)),
        ("2006-01-02T15:04+02:00", datetime(2006, 1, 2, 13, 4, tzinfo=UTC)),
        ("2006-01-02T15Z", datetime(2006, 1, 2, 15, tzinfo=UTC)),
        ("10m", NOW - timedelta(minutes=10)),
        ("1h30m", NOW - timedelta(minutes=90)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("-1h", NOW + timedelta(hours=1)),
    ],
)
def test_moments_are_dates_seconds_or_durations(text: str, expected: datetime) -> None:
    assert moment(text, NOW) == expected


def test_a_date_alone_is_local() -> None:
    assert moment("2006-01-02", NOW) == datetime(2006, 1, 2).astimezone(UTC)  # noqa: DTZ001, RUF100 - local on purpose


@pytest.mark.parametrize("text", ["", "x", "5d", "1h x", "2006-13-01", "9" * 30 + "h", "1e3"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidUsage):
        moment(text, NOW)
