"""`tag`."""

from __future__ import annotations

from tests.differential.case import Case

_ONE = ("one as one:1",)

CASES = (
    Case("tag/by-name", ("tag one:1 other:2", "ls"), _ONE),
    Case("tag/without-a-tag", ("tag one:1 other", "ls"), _ONE),
    Case("tag/by-id", ("tag $one other:2", "ls"), _ONE),
    Case("tag/by-short-id", ("tag $one_short team/other:2", "ls"), _ONE),
    Case("tag/with-a-registry", ("tag one:1 registry.example:5000/team/app:v1.2_3-x", "ls"), _ONE),
    Case("tag/with-the-default-registry", ("tag one:1 docker.io/library/other:2", "ls"), _ONE),
    Case("tag/with-the-old-default-registry", ("tag one:1 index.docker.io/team/x:2", "ls"), _ONE),
    Case("tag/to-itself", ("tag one:1 one:1", "ls"), _ONE),
    Case(
        "tag/to-a-name-that-another-has",
        ("tag one:1 two:2", "ls -a"),
        ("one as one:1", "two as two:2"),
    ),
    Case(
        "tag/by-digest",
        ("pull -q $registry/one:1", "tag $registry/one@$one_digest other:1", "ls"),
        served=("one as one:1",),
    ),
    Case("tag/a-missing-source", ("tag missing:1 other:1", "ls"), errors=("no such image",)),
    Case(
        "tag/the-start-of-two-ids",
        ("tag sha256:3 x:1",),
        ("one as one:1", "alike as alike:1"),
        errors=("ambiguous",),
        differs=("said-ambiguous",),
    ),
    Case("tag/a-missing-id", ("tag 0123456789ab other:1",), errors=("no such image",)),
    Case("tag/a-bad-target", ("tag one:1 Other:1",), _ONE, errors=("invalid reference",)),
    Case("tag/a-bad-tag", ("tag one:1 other:.1",), _ONE, errors=("invalid reference",)),
    Case("tag/a-target-with-a-digest", ("tag one:1 x@$one",), _ONE, errors=("tag of a digest",)),
    Case(
        "tag/a-target-that-is-an-id", ("tag one:1 $one_hex",), _ONE, errors=("invalid reference",)
    ),
    Case("tag/a-name-like-an-id", ("tag one:1 sha256:1",), _ONE, errors=("a name like an ID",)),
    Case("tag/one-argument", ("tag one:1",), errors=("number of arguments",)),
    Case("tag/three-arguments", ("tag one:1 a b",), errors=("number of arguments",)),
    Case("tag/an-option", ("tag --force one:1 a",), errors=("unknown flag",)),
)
