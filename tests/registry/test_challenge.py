from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.registry.challenge import COUNT_LIMIT, Challenge, parse_challenges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ()),
        ("Basic", (Challenge("basic"),)),
        ('Basic realm="x"', (Challenge("basic", {"realm": "x"}),)),
        (
            'Bearer realm="https://a/t",service="r",scope="repository:x/y:pull,push"',
            (
                Challenge(
                    "bearer",
                    {
                        "realm": "https://a/t",
                        "service": "r",
                        "scope": "repository:x/y:pull,push",
                    },
                ),
            ),
        ),
        (
            'Negotiate, Basic realm=a, BEARER Realm = "b"',
            (
                Challenge("negotiate"),
                Challenge("basic", {"realm": "a"}),
                Challenge("bearer", {"realm": "b"}),
            ),
        ),
        ('Bearer realm="a\\"b\\\\c"', (Challenge("bearer", {"realm": 'a"b\\c'}),)),
        (
            'Bearer realm=https://a/t,service="r"',
            (Challenge("bearer", {"realm": "https://a/t", "service": "r"}),),
        ),
        ('Bearer realm="one",realm="two"', (Challenge("bearer", {"realm": "one"}),)),
    ],
)
def test_challenges_are_read(header: str, expected: tuple[Challenge, ...]) -> None:
    assert parse_challenges(header) == expected


def test_no_more_than_a_few_are_read() -> None:
    assert len(parse_challenges("Basic, " * 1000)) == COUNT_LIMIT
    (one,) = parse_challenges("Bearer " + ",".join(f"p{n}=v" for n in range(COUNT_LIMIT)))
    assert len(one.parameters) == COUNT_LIMIT


@pytest.mark.parametrize(
    "text", ["Bearer a=" * 5000, '"' * 50_000, "Bearer " + 'x="' * 9000, ", " * 50_000]
)
def test_a_hostile_header_is_read_in_no_time(text: str) -> None:
    began = time.process_time()
    parse_challenges(text)
    assert time.process_time() - began < 2


@settings(max_examples=300, derandomize=True)
@given(st.text(st.sampled_from('Bearer basic=",\\ \t\x00é'), max_size=80))
def test_any_header_is_read_without_an_error(header: str) -> None:
    for challenge in parse_challenges(header):
        assert challenge.scheme == challenge.scheme.lower() != ""
