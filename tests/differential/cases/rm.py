"""`rm`."""

from __future__ import annotations

from tests.differential.case import Case

_NONE = ("no such image",)

CASES = (
    Case("rm/by-name", ("rm one:1", "ls"), given=("one as one:1",)),
    Case(
        "rm/by-name-with-latest-filled-in",
        ("rm one", "ls"),
        ("one as one:latest",),
    ),
    Case("rm/by-long-name", ("rm docker.io/library/one:1",), ("one as one:1",)),
    Case("rm/by-id", ("rm $one", "ls"), ("one as one:1",)),
    Case("rm/by-bare-hex-id", ("rm $one_hex", "ls"), ("one as one:1",)),
    Case("rm/by-short-id", ("rm $one_short", "ls"), ("one as one:1",)),
    Case("rm/by-three-digits-of-an-id", ("rm ${one_start}",), ("one as one:1",)),
    Case("rm/one-of-two-names", ("rm one:1", "ls"), ("one as one:1 other:1",)),
    Case("rm/both-names", ("rm one:1 other:1", "ls"), ("one as one:1 other:1",)),
    Case("rm/an-image-without-a-name", ("rm $one", "ls -a"), ("one",)),
    Case(
        "rm/an-id-of-two-tags-in-one-repository",
        ("rm $one_short", "ls"),
        ("one as one:1 one:2",),
        errors=("several repositories",),
    ),
    Case(
        "rm/an-id-of-several-repositories",
        ("rm $one_short", "ls"),
        ("one as one:1 other:1",),
        errors=("several repositories",),
    ),
    Case(
        "rm/an-id-of-several-repositories-by-force",
        ("rm -f $one_short", "ls"),
        ("one as one:1 other:1",),
    ),
    Case("rm/a-missing-name", ("rm missing:1",), errors=_NONE),
    Case("rm/a-missing-name-without-tag", ("rm missing",), errors=_NONE),
    Case("rm/a-missing-id", ("rm sha256:0123456789ab",), errors=_NONE),
    Case("rm/a-missing-name-by-force", ("rm --force missing:1",), errors=_NONE),
    Case(
        "rm/the-rest-though-one-is-missing",
        ("rm missing:1 one:1 missing:2", "ls"),
        ("one as one:1",),
        errors=_NONE,
    ),
    Case("rm/no-prune", ("rm --no-prune one:1", "ls -a"), ("one as one:1",)),
    Case(
        "rm/no-prune-and-prune",
        ("rm --no-prune one:1", "prune -f", "prune -f"),
        ("one as one:1",),
        differs=("kept-content",),
    ),
    Case(
        "rm/the-start-of-two-ids",
        ("rm sha256:3",),
        ("one as one:1", "alike as alike:1"),
        errors=("ambiguous",),
        differs=("said-ambiguous",),
    ),
    Case("rm/aliases", ("remove one:1", "rmi one:2", "ls"), ("one as one:1 one:2 one:3",)),
    Case("rm/a-bad-name", ("rm One:1",), errors=("invalid reference",)),
    Case("rm/nothing-named", ("rm",), errors=("number of arguments",)),
    Case("rm/an-unknown-option", ("rm --fast one:1",), errors=("unknown flag",)),
    Case("rm/an-unknown-letter", ("rm -x one:1",), errors=("unknown flag",)),
    Case("rm/a-flag-that-is-neither", ("rm --force=maybe one",), errors=("flag value",)),
    Case(
        "rm/a-pulled-name",
        ("pull -q $registry/one:1", "rm $registry/one:1", "ls -a"),
        served=("one as one:1",),
    ),
    Case(
        "rm/a-digest",
        ("pull -q $registry/one:1", "rm $registry/one@$one_digest", "ls --digests"),
        served=("one as one:1",),
    ),
    Case(
        "rm/a-pulled-id",
        ("pull -q $registry/one:1", "rm $one", "ls -a"),
        served=("one as one:1",),
    ),
)
