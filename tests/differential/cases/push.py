"""`push`."""

from __future__ import annotations

from tests.differential.case import Case

_NONE = ("no such image",)
_LAYERS = ("pushed-layers",)
_GIVEN = ("three as $registry/app:1",)

CASES = (
    Case(
        "push/a-tag",
        ("push $registry/app:1", "rm $three_short -f", "pull -q $registry/app:1", "ls"),
        _GIVEN,
        differs=("pushed-layers",),
    ),
    Case(
        "push/again", ("push -q $registry/app:1", "push $registry/app:1"), _GIVEN, differs=_LAYERS
    ),
    Case(
        "push/the-default-tag",
        ("push $registry/app",),
        ("one as $registry/app:latest",),
        differs=_LAYERS,
    ),
    Case("push/quietly", ("push -q $registry/app:1", "push --quiet $registry/app:1"), _GIVEN),
    Case(
        "push/all-tags",
        ("push -a $registry/app",),
        ("one as $registry/app:1 $registry/app:2",),
        differs=_LAYERS,
    ),
    Case("push/all-tags-quietly", ("push -q --all-tags $registry/app",), _GIVEN),
    Case(
        "push/all-tags-and-one",
        ("push -a $registry/app:1",),
        _GIVEN,
        errors=("a tag with --all-tags",),
    ),
    Case("push/all-tags-of-nothing", ("push -a $registry/app",), errors=_NONE),
    Case(
        "push/layers-that-are-elsewhere",
        ("push -q $registry/app:1", "tag $three $registry/b:1", "push $registry/b:1"),
        _GIVEN,
        differs=_LAYERS,
    ),
    Case("push/without-trust", ("push --disable-content-trust -q $registry/app:1",), _GIVEN),
    Case(
        "push/a-digest", ("push $registry/app@$three_digest",), _GIVEN, errors=("push of a digest",)
    ),
    Case("push/a-missing-tag", ("push $registry/app:2",), _GIVEN, errors=_NONE),
    Case("push/a-missing-repository", ("push $registry/b",), errors=_NONE),
    Case(
        "push/nobody-there",
        ("push 127.0.0.1:1/app:1",),
        ("one as 127.0.0.1:1/app:1",),
        errors=("unreachable",),
        differs=("announced-early",),
    ),
    Case("push/a-bad-name", ("push App",), errors=("invalid reference",)),
    Case("push/nothing-named", ("push",), errors=("number of arguments",)),
    Case("push/an-unknown-option", ("push --fast a",), errors=("unknown flag",)),
)
