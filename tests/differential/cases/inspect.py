"""`inspect`."""

from __future__ import annotations

from tests.differential.case import Case

_FIELDS = ("classic-fields",)
_NONE = ("no such image",)

CASES = (
    Case("inspect/by-name", ("inspect one:1",), ("one as one:1",), differs=_FIELDS),
    Case("inspect/every-setting", ("inspect rich:1",), ("rich as rich:1",), differs=_FIELDS),
    Case(
        "inspect/an-image-that-says-nothing",
        ("inspect bare:1",),
        ("bare as bare:1",),
        differs=_FIELDS,
    ),
    Case("inspect/another-platform", ("inspect arm:1",), ("arm as arm:1",), differs=_FIELDS),
    Case("inspect/by-id", ("inspect $one",), ("one as one:1",), differs=_FIELDS),
    Case("inspect/by-short-id", ("inspect $one_short",), ("one as one:1",), differs=_FIELDS),
    Case("inspect/without-a-name", ("inspect $one",), ("one",), differs=_FIELDS),
    Case(
        "inspect/several",
        ("inspect one:1 $two",),
        ("one as one:1", "two as two:2"),
        differs=_FIELDS,
    ),
    Case("inspect/the-same-twice", ("inspect one:1 $one",), ("one as one:1",), differs=_FIELDS),
    Case(
        "inspect/what-was-pulled",
        ("pull -q $registry/two:1", "inspect $registry/two:1"),
        served=("two as two:1",),
        differs=_FIELDS,
    ),
    Case(
        "inspect/by-digest",
        ("pull -q $registry/two:1", "inspect $registry/two@$two_digest"),
        served=("two as two:1",),
        differs=_FIELDS,
    ),
    Case(
        "inspect/what-was-tagged",
        ("tag one:1 one:2", "inspect one:2"),
        ("one as one:1",),
        differs=_FIELDS,
    ),
    Case(
        "inspect/the-start-of-two-ids",
        ("inspect sha256:3",),
        ("one as one:1", "alike as alike:1"),
        errors=("ambiguous",),
        differs=("said-ambiguous",),
    ),
    Case("inspect/missing", ("inspect missing",), errors=_NONE),
    Case("inspect/missing-id", ("inspect 0123456789ab",), errors=_NONE),
    Case(
        "inspect/the-rest-though-one-is-missing",
        ("inspect missing one:1",),
        ("one as one:1",),
        errors=_NONE,
        differs=_FIELDS,
    ),
    Case("inspect/a-bad-name", ("inspect One",), errors=("invalid reference",)),
    Case("inspect/nothing-named", ("inspect",), errors=("number of arguments",)),
    Case("inspect/an-unknown-option", ("inspect --size one",), errors=("unknown flag",)),
    Case(
        "inspect/format-json",
        ("inspect -f json one:1",),
        ("one as one:1",),
        differs=_FIELDS,
        client=25,
    ),
)
