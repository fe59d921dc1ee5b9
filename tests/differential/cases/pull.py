"""`pull`."""

from __future__ import annotations

from tests.differential.case import Case

_NONE = ("no such image",)
_SERVED = ("three as app:1", "one as app:2", "one as app:latest")

CASES = (
    Case("pull/a-tag", ("pull $registry/app:1", "ls"), served=_SERVED),
    Case("pull/the-default-tag", ("pull $registry/app", "ls"), served=_SERVED),
    Case("pull/a-digest", ("pull $registry/app@$one_digest", "ls --digests"), served=_SERVED),
    Case(
        "pull/a-tag-and-a-digest",
        ("pull $registry/app:x@$one_digest", "ls --digests"),
        served=_SERVED,
    ),
    Case("pull/quietly", ("pull -q $registry/app:1", "pull --quiet $registry/app"), served=_SERVED),
    Case(
        "pull/all-tags",
        ("pull -a $registry/app", "ls"),
        served=_SERVED,
    ),
    Case("pull/all-tags-quietly", ("pull -q --all-tags $registry/app",), served=_SERVED),
    Case("pull/all-tags-and-one", ("pull -a $registry/app:1",), errors=("a tag with --all-tags",)),
    Case("pull/again", ("pull -q $registry/app:1", "pull $registry/app:1"), served=_SERVED),
    Case(
        "pull/layers-that-are-here",
        ("pull -q $registry/app:2", "pull $registry/app:latest", "ls"),
        served=_SERVED,
    ),
    Case(
        "pull/a-platform",
        ("pull --platform linux/arm64 $registry/both:1", "inspect -f json $registry/both:1"),
        served=("both as both:1",),
        differs=("classic-fields",),
        client=25,
    ),
    Case("pull/the-platform-of-the-host", ("pull $registry/both:1",), served=("both as both:1",)),
    Case(
        "pull/a-platform-that-is-not-there",
        ("pull --platform linux/s390x $registry/both:1", "ls"),
        served=("both as both:1",),
        errors=("no such platform",),
    ),
    Case(
        "pull/another-platform-than-the-only-one",
        ("pull -q --platform linux/arm64 $registry/app:1",),
        served=_SERVED,
        errors=("no such platform",),
        differs=("wrong-platform",),
    ),
    Case(
        "pull/an-unknown-platform",
        ("pull --platform amd46 $registry/app",),
        errors=("bad platform",),
    ),
    Case(
        "pull/a-system-alone",
        ("pull --platform linux $registry/both:1",),
        served=("both as both:1",),
    ),
    Case(
        "pull/a-bad-platform", ("pull --platform a/b/c/d $registry/app",), errors=("bad platform",)
    ),
    Case("pull/without-trust", ("pull --disable-content-trust $registry/app:1",), served=_SERVED),
    Case("pull/a-missing-tag", ("pull $registry/app:missing",), served=_SERVED, errors=_NONE),
    Case("pull/a-missing-repository", ("pull $registry/missing",), errors=_NONE),
    Case("pull/a-missing-repository-all-tags", ("pull -a $registry/missing",), errors=_NONE),
    Case("pull/a-missing-digest", ("pull $registry/app@$two",), served=_SERVED, errors=_NONE),
    Case("pull/nobody-there", ("pull 127.0.0.1:1/app:1",), errors=("unreachable",)),
    Case("pull/a-bad-name", ("pull App",), errors=("invalid reference",)),
    Case("pull/a-bad-tag", ("pull app:-",), errors=("invalid reference",)),
    Case("pull/a-bad-digest", ("pull app@sha256:1",), errors=("invalid reference",)),
    Case("pull/nothing-named", ("pull",), errors=("number of arguments",)),
    Case("pull/two-names", ("pull a b",), errors=("number of arguments",)),
    Case("pull/an-unknown-option", ("pull --fast a",), errors=("unknown flag",)),
)
