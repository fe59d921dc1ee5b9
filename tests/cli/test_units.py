from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pytest_images.cli.units import go_time, human_duration, human_size, since

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("size", "digits", "text"),
    [  # what `docker image ls` showed for images of these sizes, and go-units' own edges
        (5_581_590, 3, "5.58MB"),
        (5_581_590, 4, "5.582MB"),
        (7_797_760, 3, "7.8MB"),
        (10_072, 3, "10.1kB"),
        (10_072, 4, "10.07kB"),
        (0, 3, "0B"),
        (999, 3, "999B"),
        (1000, 3, "1kB"),
        (1024, 4, "1.024kB"),
        (999_600, 3, "1e+03kB"),
        (10**12, 4, "1TB"),
        (3.42 * 10**15, 4, "3.42PB"),
        (10**28, 4, "1e+04YB"),
    ],
)
def test_a_size_reads_as_docker_shows_it(size: float, digits: int, text: str) -> None:
    assert human_size(size, digits) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [  # the table of go-units' own tests
        (-5, "Less than a second"),
        (0.45, "Less than a second"),
        (1, "1 second"),
        (45, "45 seconds"),
        (46, "46 seconds"),
        (59.9, "59 seconds"),
        (60, "About a minute"),
        (90, "About a minute"),
        (3 * MINUTE, "3 minutes"),
        (35 * MINUTE + 40, "35 minutes"),
        (40 * MINUTE, "40 minutes"),
        (59 * MINUTE + 59, "59 minutes"),
        (HOUR, "About an hour"),
        (1.45 * HOUR, "About an hour"),
        (1.5 * HOUR, "2 hours"),
        (3 * HOUR, "3 hours"),
        (3 * HOUR + 59 * MINUTE, "4 hours"),
        (24 * HOUR, "24 hours"),
        (36 * HOUR, "36 hours"),
        (48 * HOUR, "2 days"),
        (2.5 * DAY, "2 days"),
        (7 * DAY, "7 days"),
        (13 * DAY + 5 * HOUR, "13 days"),
        (15 * DAY, "2 weeks"),
        (8 * 7 * DAY, "8 weeks"),
        (60 * DAY, "2 months"),
        (90 * DAY, "3 months"),
        (365 * DAY, "12 months"),
        (729 * DAY, "24 months"),
        (2 * 365 * DAY, "2 years"),
        (3 * 365 * DAY, "3 years"),
    ],
)
def test_a_duration_reads_as_docker_shows_it(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_a_moment_is_told_from_now() -> None:
    now = datetime(2026, 1, 20, tzinfo=UTC)
    assert since(now - timedelta(days=15), now) == "2 weeks ago"


def test_an_unknown_moment_is_said_to_be_unknown() -> None:
    for unknown in (None, datetime.min.replace(tzinfo=UTC)):
        assert since(unknown, datetime.now(UTC)) == ""
        assert go_time(unknown) == "0001-01-01 00:00:00 +0000 UTC"


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("moment", [datetime.min, datetime.max])
def test_a_moment_at_the_end_of_the_calendar_is_printed_in_every_zone(
    monkeypatch: pytest.MonkeyPatch, zone: str, moment: datetime
) -> None:
    import time

    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        text = go_time(moment.replace(tzinfo=UTC))
    time.tzset()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} [A-Z]+", text)


def test_an_age_is_as_long_as_go_can_count() -> None:
    assert since(datetime(1500, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)) == (
        "292 years ago"
    )


def test_a_moment_is_printed_as_go_prints_it_in_the_local_zone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    moment = datetime(2026, 11, 23, 23, 4, 15, 323, tzinfo=timezone(timedelta(hours=2)))
    assert go_time(moment) == "2026-11-23 21:04:15 +0000 UTC"
