"""`load`."""

from __future__ import annotations

from tests.differential.case import Case

CASES = (
    Case("load/from-standard-input", ("load < one.tar", "ls"), files=("one as app:1",)),
    Case("load/from-a-file", ("load -i one.tar", "ls"), files=("one as app:1",)),
    Case("load/from-a-file-in-full", ("load --input=one.tar", "ls"), files=("one as app:1",)),
    Case("load/quietly", ("load --quiet -i two.tar", "ls"), files=("two as app:1",)),
    Case("load/several-names", ("load -i one.tar", "ls"), files=("one as app:1 app:2 other:1",)),
    Case("load/without-a-name", ("load -i one.tar", "ls"), files=("one",)),
    Case("load/again", ("load -i one.tar", "load -i one.tar", "ls"), files=("one as app:1",)),
    Case(
        "load/a-name-that-moves",
        ("load -i one.tar", "load -i two.tar", "ls"),
        files=("one as app:1", "two as app:1"),
    ),
    Case("load/both-forms-in-one", ("load -i one.tar", "ls"), files=("one as app:1 in docker",)),
    Case("load/gzip", ("load -i one.tar", "ls"), files=("one as app:1 in gzip",)),
    Case("load/xz", ("load < one.tar", "ls"), files=("one as app:1 in xz",)),
    Case("load/bzip2", ("load -i one.tar", "ls"), files=("one as app:1 in bzip2",)),
    Case("load/a-missing-file", ("load -i missing.tar",), errors=("no such file",)),
    Case("load/an-argument", ("load one.tar",), errors=("too many arguments",)),
    Case("load/an-unknown-option", ("load --fast",), errors=("unknown flag",)),
    Case("load/an-option-without-value", ("load -i",), errors=("flag needs a value",)),
    Case("load/something-else", ("load -i text.tar", "ls"), errors=("not an archive",)),
    Case("load/nothing", ("load < empty.tar", "ls"), errors=("not an archive",)),
)
