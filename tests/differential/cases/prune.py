"""`prune`."""

from __future__ import annotations

from tests.differential.case import Case

_TWO = ("one", "two as two:2")

CASES = (
    Case("prune/dangling", ("prune -f", "ls -a"), _TWO, differs=("reclaimed-space",)),
    Case("prune/nothing", ("prune -f",), ("two as two:2",)),
    Case(
        "prune/all",
        ("prune --all --force", "ls"),
        ("one as one:1 one:2", "two"),
        differs=("reclaimed-space",),
    ),
    Case("prune/yes", ("prune", "ls -a"), _TWO, answer="y\n", differs=("reclaimed-space",)),
    Case("prune/no", ("prune", "ls -a"), _TWO, answer="n\n", client=25),
    Case("prune/no-answer", ("prune", "ls -a"), _TWO, client=25),
    Case("prune/all-and-no", ("prune -a", "ls"), _TWO, answer="no\n", client=25),
    Case(
        "prune/filter-until",
        ("prune -af --filter until=2020-06-01", "ls"),
        ("one as one:1", "two as two:2"),
        differs=("reclaimed-space",),
    ),
    Case(
        "prune/filter-until-hours",
        ("prune -af --filter until=24h", "ls"),
        ("one as one:1",),
        differs=("reclaimed-space",),
    ),
    Case(
        "prune/filter-until-hours-of-dangling",
        ("prune -f --filter until=1h30m", "ls"),
        ("one",),
        differs=("reclaimed-space",),
    ),
    Case(
        "prune/filter-label",
        ("prune -af --filter label=team=a", "ls"),
        ("two as two:2", "three as three:3"),
        differs=("reclaimed-space",),
    ),
    Case(
        "prune/filter-label-without-value",
        ("prune -af --filter label=team", "ls"),
        ("two as two:2", "one as one:1"),
        differs=("reclaimed-space",),
    ),
    Case(
        "prune/filter-not-label",
        ("prune -af --filter label!=team", "ls"),
        ("two as two:2", "one as one:1"),
        differs=("reclaimed-space",),
    ),
    Case(
        "prune/filter-not-label-with-value",
        ("prune -af --filter label!=team=a", "ls"),
        ("two as two:2", "three as three:3"),
        differs=("reclaimed-space",),
    ),
    Case("prune/filter-unknown", ("prune -f --filter colour=red",), errors=("unknown filter",)),
    Case("prune/filter-without-value", ("prune -f --filter label",), errors=("filter format",)),
    Case(
        "prune/filter-until-that-is-no-time",
        ("prune -f --filter until=soon",),
        errors=("filter value",),
    ),
    Case("prune/an-argument", ("prune one",), errors=("too many arguments",)),
    Case("prune/an-unknown-option", ("prune --fast",), errors=("unknown flag",)),
    Case(
        "prune/shared-layers-are-counted-once",
        ("prune -af", "ls"),
        ("twin as twin:1", "two as two:2"),
        differs=("reclaimed-space",),
    ),
    Case(
        "prune/what-was-pulled",
        ("pull -q $registry/one:1", "prune -af", "ls --digests"),
        served=("one as one:1",),
        differs=("reclaimed-space",),
    ),
)
