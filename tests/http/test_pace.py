from __future__ import annotations

import os
import socket

import pytest

from pytest_images.http.limits import Limits
from pytest_images.http.pace import Pace, PacedReader

LIMITS = Limits(idle=0.05, window=1.0, floor=100)


def test_the_wait_for_the_first_byte_is_no_low_rate() -> None:
    Pace(LIMITS, first=300).count(1, 250.0)


def test_a_rate_below_the_floor_is_given_up() -> None:
    pace = Pace(LIMITS)
    pace.count(1, 0.0)
    pace.count(50, 0.6)
    with pytest.raises(TimeoutError, match="only 99 bytes"):
        pace.count(49, 0.6)


def test_a_rate_above_the_floor_is_judged_anew_each_window() -> None:
    pace = Pace(LIMITS)
    for _ in range(20):
        pace.count(150, 1.0)


def test_silence_ends_a_wait() -> None:
    out, into = os.pipe()
    with pytest.raises(TimeoutError, match="nothing"):
        Pace(LIMITS).wait_readable(out)
    os.close(out)
    os.close(into)


def test_a_reader_gives_what_came_and_then_times_out() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, PacedReader(ours, Pace(LIMITS)) as reader:
        theirs.sendall(b"abc")
        assert reader.read(10) == b"abc"
        with pytest.raises(TimeoutError):
            reader.read(10)
