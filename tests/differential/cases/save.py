"""`save`."""

from __future__ import annotations

from tests.differential.case import Case

_NONE = ("no such image",)

CASES = (
    Case(
        "save/to-standard-output",
        ("save one:1 > out.tar", "rm one:1", "load -i out.tar", "ls"),
        ("one as one:1",),
    ),
    Case(
        "save/to-a-file",
        ("save -o out.tar one:1", "rm one:1", "load -i out.tar", "ls"),
        ("one as one:1",),
    ),
    Case(
        "save/several",
        ("save --output=out.tar one:1 two:2", "rm one:1 two:2", "load -i out.tar", "ls"),
        ("one as one:1", "two as two:2"),
    ),
    Case(
        "save/several-names-of-one",
        ("save -o out.tar one:1 other:1", "rm one:1 other:1", "load -q -i out.tar", "ls"),
        ("one as one:1 other:1",),
    ),
    Case(
        "save/a-repository",
        ("save -o out.tar one", "rm one:1 one:2", "load -i out.tar", "ls"),
        ("one as one:1 one:2",),
        errors=(),
    ),
    Case(
        "save/by-id",
        ("save -o out.tar $one", "rm one:1", "load -i out.tar", "ls"),
        ("one as one:1",),
    ),
    Case(
        "save/by-short-id",
        ("save -o out.tar $one_short", "rm one:1", "load -i out.tar", "ls"),
        ("one as one:1",),
    ),
    Case(
        "save/by-id-and-name",
        ("save -o out.tar $one one:1", "rm one:1", "load -i out.tar", "ls"),
        ("one as one:1 one:2",),
    ),
    Case("save/missing", ("save -o out.tar missing:1",), errors=_NONE, differs=("named-missing",)),
    Case(
        "save/missing-to-standard-output",
        ("save missing:1",),
        errors=_NONE,
        differs=("named-missing",),
    ),
    Case(
        "save/one-of-two-is-missing",
        ("save -o out.tar one:1 missing:1",),
        ("one as one:1",),
        errors=_NONE,
        differs=("named-missing",),
    ),
    Case(
        "save/to-a-folder-that-is-not-there",
        ("save -o none/out.tar one:1",),
        ("one as one:1",),
        errors=("no such file",),
    ),
    Case(
        "save/to-a-folder",
        ("save -o . one:1",),
        ("one as one:1",),
        errors=("is a folder",),
        client=25,
    ),
    Case(
        "save/the-start-of-two-ids",
        ("save -o out.tar sha256:3",),
        ("one as one:1", "alike as alike:1"),
        errors=("ambiguous",),
    ),
    Case("save/a-bad-name", ("save -o out.tar One",), errors=("invalid reference",)),
    Case("save/nothing-named", ("save",), errors=("number of arguments",)),
    Case("save/an-unknown-option", ("save --fast one",), errors=("unknown flag",)),
    Case(
        "save/every-setting",
        ("save -o out.tar rich:1", "rm rich:1", "load -q -i out.tar", "history rich:1"),
        ("rich as rich:1",),
    ),
)
