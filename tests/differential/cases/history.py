"""`history`."""

from __future__ import annotations

from tests.differential.case import Case

_RICH = ("rich as rich:1",)

CASES = (
    Case("history/by-name", ("history one:1",), ("one as one:1",)),
    Case("history/steps-with-and-without-layers", ("history rich:1",), _RICH),
    Case("history/by-id", ("history $rich", "history $rich_short"), _RICH),
    Case("history/several-layers", ("history three:1",), ("three as three:1",)),
    Case("history/an-image-that-says-nothing", ("history bare:1",), ("bare as bare:1",)),
    Case(
        "history/steps-of-odd-times",
        ("history ancient:1", "history --format '{{.CreatedAt}}, {{.CreatedSince}}' ancient:1"),
        ("ancient as ancient:1",),
        client=26,
    ),
    Case("history/whole-texts", ("history --no-trunc rich:1",), _RICH),
    Case("history/quietly", ("history -q rich:1", "history --quiet --no-trunc rich:1"), _RICH),
    Case(
        "history/not-for-people", ("history --human=false rich:1", "history -H=false rich:1"), _RICH
    ),
    Case("history/for-people", ("history -H rich:1",), _RICH),
    Case("history/several-names", ("history -q one:1",), ("one as one:1 other:1",)),
    Case("history/format-table", ("history --format table rich:1",), _RICH),
    Case("history/format-json", ("history --format json rich:1",), _RICH, client=25),
    Case(
        "history/format-json-whole",
        ("history --format json --no-trunc -H=false rich:1",),
        _RICH,
        client=25,
    ),
    Case(
        "history/the-start-of-two-ids",
        ("history sha256:3",),
        ("one as one:1", "alike as alike:1"),
        errors=("ambiguous",),
        differs=("said-ambiguous",),
    ),
    Case("history/missing", ("history missing",), errors=("no such image",)),
    Case("history/missing-id", ("history 0123456789ab",), errors=("no such image",)),
    Case("history/a-bad-name", ("history One",), errors=("invalid reference",)),
    Case("history/nothing-named", ("history",), errors=("number of arguments",)),
    Case("history/two-names", ("history a b",), errors=("number of arguments",)),
    Case("history/an-unknown-option", ("history --all a",), errors=("unknown flag",)),
)
